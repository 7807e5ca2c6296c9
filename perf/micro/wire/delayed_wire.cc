// A wire with latency, for kernels without netem: hands every frame that comes in at one interface
// out at the other, a fixed time later, without limiting the rate.
//
//   delayed_wire INTERFACE INTERFACE MILLISECONDS
//
// Started in a network namespace that has one end of each of two veth pairs, it makes one network
// of what is behind the two (perf/compare/namespaces.py). It needs CAP_NET_RAW.
//
// Frames are taken as they are, with what the sender left to the hardware: segments of up to 64 KiB
// that nobody has cut, checksums that nobody has computed. So a byte costs two copies and a few
// hundred nanoseconds per 64 KiB here. A real wire takes no turns with the ranks for their cores;
// this one runs at real-time priority where it may, and says if it may not. Runs until it is ended
// by a signal or an interface goes away.
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kQueueBytes = 256 << 20;        // in the kernel, per interface
constexpr std::size_t kFrameBytes = 70000;    // the largest uncut segment and its headers
constexpr std::size_t kMostFrames = 1 << 16;  // under way in one direction: beyond it frames drop

[[noreturn]] void give_up(const std::string& text) {
    std::fprintf(stderr, "delayed_wire: %s\n", text.c_str());
    std::exit(1);
}

[[noreturn]] void give_up_after(const std::string& call) {
    give_up(call + ": " + std::strerror(errno));
}

template <typename T>
void set_option(int socket, int level, int name, const T& value, const char* what) {
    if (setsockopt(socket, level, name, &value, sizeof value) != 0) give_up_after(what);
}

int open_interface(const char* name) {
    const int socket_descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    if (socket_descriptor < 0) give_up_after("socket(AF_PACKET) (CAP_NET_RAW?)");
    set_option(socket_descriptor, SOL_PACKET, PACKET_VNET_HDR, 1, "PACKET_VNET_HDR");
    set_option(socket_descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
    set_option(socket_descriptor, SOL_SOCKET, SO_RCVBUFFORCE, kQueueBytes, "SO_RCVBUFFORCE");
    set_option(socket_descriptor, SOL_SOCKET, SO_SNDBUFFORCE, kQueueBytes, "SO_SNDBUFFORCE");
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(name));
    if (address.sll_ifindex == 0) give_up(std::string("there is no interface ") + name);
    if (bind(socket_descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        give_up_after(std::string("bind to ") + name);
    }
    return socket_descriptor;
}

struct Frame {
    Clock::time_point due;
    std::vector<std::byte> bytes;
};

// One way through the wire.
class Direction {
  public:
    Direction(int from, int to, Clock::duration delay) : from_(from), to_(to), delay_(delay) {}

    void take_in() {
        std::array<std::byte, kFrameBytes> buffer;
        for (;;) {
            const ssize_t bytes = recv(from_, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (bytes < 0 && errno == EINTR) continue;
            if (bytes < 0 && errno == EAGAIN) return;
            if (bytes < 0) give_up_after("recv");
            if (under_way_.size() >= kMostFrames) continue;
            under_way_.push_back({Clock::now() + delay_, {buffer.data(), buffer.data() + bytes}});
        }
    }
    void hand_out(Clock::time_point now) {
        while (!under_way_.empty() && under_way_.front().due <= now) {
            const auto& bytes = under_way_.front().bytes;
            // A frame that the other side does not take is lost, as on any wire; TCP repeats it.
            if (send(to_, bytes.data(), bytes.size(), 0) < 0 && errno == ENETDOWN) {
                give_up_after("send");
            }
            under_way_.pop_front();
        }
    }
    Clock::time_point next_due() const {
        return under_way_.empty() ? Clock::time_point::max() : under_way_.front().due;
    }
    int from() const { return from_; }

  private:
    int from_;
    int to_;
    Clock::duration delay_;
    std::deque<Frame> under_way_;
};

timespec until(Clock::time_point due) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(due - Clock::now());
    const auto ns = std::max<std::int64_t>(0, left.count());
    return {.tv_sec = ns / kNanosecondsPerSecond, .tv_nsec = ns % kNanosecondsPerSecond};
}

}  // namespace

int main(int argc, char** argv) {
    char* end = nullptr;
    const double delay_ms = argc == 4 ? std::strtod(argv[3], &end) : -1;
    if (end == nullptr || *end != '\0' || !(delay_ms >= 0)) {
        give_up("use: delayed_wire INTERFACE INTERFACE MILLISECONDS");
    }
    const int left = open_interface(argv[1]);
    const int right = open_interface(argv[2]);
    const sched_param priority{.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
        std::fprintf(stderr,
                     "delayed_wire: no real-time priority (%s): where ranks use all cores "
                     "the latency will vary\n",
                     std::strerror(errno));
    }
    const auto delay = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double, std::milli>(delay_ms));
    std::array<Direction, 2> directions{Direction(left, right, delay),
                                        Direction(right, left, delay)};
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
        std::array<pollfd, 2> descriptors{};
        auto due = Clock::time_point::max();
        for (std::size_t i = 0; i < 2; ++i) {
            descriptors[i] = {.fd = directions[i].from(), .events = POLLIN, .revents = 0};
            due = std::min(due, directions[i].next_due());
        }
        const timespec timeout = due == Clock::time_point::max() ? timespec{1, 0} : until(due);
        if (ppoll(descriptors.data(), 2, &timeout, nullptr) < 0 && errno != EINTR) {
            give_up_after("poll");
        }
        for (Direction& direction : directions) {
            direction.take_in();
            direction.hand_out(Clock::now());
        }
    }
}
