#include "transport/doorbell_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/unix_address.h"
#include "trust/secret.h"

namespace xccl {
namespace {

UnixAddress address_of(const Doorbell& bell) {
    return abstract_address(fmt::format("xccl-bell-{:016x}{:016x}",
                                        bell.socket_number[0].load(std::memory_order_relaxed),
                                        bell.socket_number[1].load(std::memory_order_relaxed)));
}

int open_datagram_socket() {
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

}  // namespace

Result<DoorbellSocket> DoorbellSocket::open(Doorbell& bell) {
    DoorbellSocket opened;
    opened.descriptor_ = OwnedDescriptor(open_datagram_socket());
    if (!opened.descriptor_) return descriptor_failure("a doorbell's socket", errno);
    std::uint64_t numbers[2] = {};
    while (numbers[0] == 0) {  // 0 says: no socket
        std::memcpy(numbers, make_nonce().data(), sizeof numbers);
    }
    bell.socket_number[1].store(numbers[1], std::memory_order_relaxed);
    bell.socket_number[0].store(numbers[0], std::memory_order_relaxed);
    const UnixAddress address = address_of(bell);
    if (bind(opened.descriptor(), address.get(), address.length) != 0) {
        const int error = errno;
        bell.socket_number[0].store(0, std::memory_order_relaxed);
        return system_error("a doorbell's socket: {}", errno_text("bind", error));
    }
    return opened;
}

void DoorbellSocket::wait(Doorbell& bell, int other_descriptor,
                          std::chrono::microseconds limit) const {
    if (!(bell.word.load(std::memory_order_relaxed) & Doorbell::kArmed)) return;
    constexpr int kMicrosecondsPerSecond = 1'000'000;
    const timespec timeout{static_cast<time_t>(limit.count() / kMicrosecondsPerSecond),
                           static_cast<long>(limit.count() % kMicrosecondsPerSecond * 1000)};
    pollfd descriptors[2] = {{descriptor(), POLLIN, 0}, {other_descriptor, POLLIN, 0}};
    ppoll(descriptors, other_descriptor >= 0 ? 2 : 1, &timeout, nullptr);
    char nothing = 0;
    while (recv(descriptor(), &nothing, 1, 0) >= 0) {  // empty datagrams, as many as there are
    }
}

// One socket per process sends for all. It is never closed: a thread may ring at any time.
void ring_socket(const Doorbell& bell) {
    static const int sender = open_datagram_socket();
    const UnixAddress address = address_of(bell);
    // A full queue has woken the owner already; an owner that is gone needs no waking.
    sendto(sender, nullptr, 0, MSG_DONTWAIT | MSG_NOSIGNAL, address.get(), address.length);
}

}  // namespace xccl
