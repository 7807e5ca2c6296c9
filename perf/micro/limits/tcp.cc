// TCP on loopback, between two processes on two cores: the floor below a carrier that uses sockets
// as they are. One byte there and back, with a reader that sleeps and with one that polls, and a
// stream of writes of 64 KiB.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "limits/groups.h"
#include "limits/pair.h"

namespace xccl::limits {
namespace {

constexpr std::size_t kWriteBytes = 64 << 10;
constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kBatchBytes = 32 << 20;

struct Sockets {
    int mine = -1;
    int other = -1;
};

class Connection {
  public:
    Connection() {
        const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof address;
        sockets_.mine = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener, generic, length) != 0 || listen(listener, 1) != 0 ||
            getsockname(listener, generic, &length) != 0 ||
            connect(sockets_.mine, generic, length) != 0) {
            give_up("no TCP on loopback");
        }
        sockets_.other = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (sockets_.other < 0) give_up("no TCP on loopback");
        close(listener);
        const int on = 1;
        setsockopt(sockets_.mine, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(sockets_.other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ~Connection() {
        close(sockets_.mine);
        close(sockets_.other);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection(Connection&&) = delete;
    Connection& operator=(Connection&&) = delete;
    Sockets sockets() const { return sockets_; }

  private:
    Sockets sockets_;
};

void write_all(int socket, const char* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t written = send(socket, bytes, count, MSG_NOSIGNAL);
        if (written <= 0) give_up("a connection on loopback broke");
        bytes += written;
        count -= static_cast<std::size_t>(written);
    }
}

// How many bytes came; 0 at the end of the stream.
std::size_t read_some(int socket, char* bytes, std::size_t most, int flags) {
    for (;;) {
        const ssize_t got = recv(socket, bytes, most, flags);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EAGAIN && errno != EINTR) give_up("a connection on loopback broke");
    }
}

// `flags`: MSG_DONTWAIT to poll.
std::vector<double> round_trips(const Effort& effort, int flags) {
    const Connection connection;
    const Sockets sockets = connection.sockets();
    std::vector<double> samples;
    const auto mine = [&] {
        char byte = 0;
        samples = seconds_per_call(effort, [&](long count) {
            for (; count > 0; --count) {
                write_all(sockets.mine, &byte, 1);
                if (read_some(sockets.mine, &byte, 1, flags) == 0) give_up("an early end");
            }
        });
        shutdown(sockets.mine, SHUT_WR);
    };
    const auto other = [&] {
        char byte = 0;
        while (read_some(sockets.other, &byte, 1, flags) == 1) write_all(sockets.other, &byte, 1);
    };
    run_pair({}, mine, other);
    return samples;
}

// GB/s of each batch, from its first write until the reader says that it has all.
std::vector<double> stream_rates(const Effort& effort) {
    const Connection connection;
    const Sockets sockets = connection.sockets();
    std::vector<double> rates;
    const auto mine = [&] {
        const std::vector<char> block(kWriteBytes, 1);
        for (int batch = 0; batch < effort.large_batches; ++batch) {
            const auto start = std::chrono::steady_clock::now();
            for (std::size_t sent = 0; sent < kBatchBytes; sent += kWriteBytes) {
                write_all(sockets.mine, block.data(), block.size());
            }
            char byte = 0;
            if (read_some(sockets.mine, &byte, 1, 0) == 0) give_up("an early end");
            rates.push_back(kBatchBytes / seconds_since(start) * 1e-9);
        }
    };
    const auto other = [&] {
        std::vector<char> block(kReadBytes);
        for (int batch = 0; batch < effort.large_batches; ++batch) {
            for (std::size_t got = 0; got < kBatchBytes;) {
                const std::size_t some = read_some(sockets.other, block.data(), block.size(), 0);
                if (some == 0) give_up("an early end");
                got += some;
            }
            write_all(sockets.other, block.data(), 1);
        }
    };
    run_pair({}, mine, other);
    return rates;
}

}  // namespace

std::vector<Figure> tcp_figures(const Effort& effort) {
    if (core_count() < 2) return {no_figure("tcp_round_trip_polling", "us", "needs two cores")};
    return {
        figure_of("tcp_round_trip_polling", "us", times(round_trips(effort, MSG_DONTWAIT), 1e6)),
        figure_of("tcp_round_trip_sleeping", "us", times(round_trips(effort, 0), 1e6)),
        figure_of("tcp_stream_64_KiB", "GB/s", stream_rates(effort))};
}

}  // namespace xccl::limits
