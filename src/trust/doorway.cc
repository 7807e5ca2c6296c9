#include "trust/doorway.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "trust/dial.h"
#include "trust/wait.h"

namespace xccl {
namespace {

constexpr std::size_t kMaxStrangers = 128;
constexpr std::chrono::seconds kPatience{5};
constexpr int kMaxAdmissions = 64;  // before the strangers get their turn

}  // namespace

Result<Doorway> Doorway::open(int listener, const Secret& secret, Purpose purpose,
                              Handshake::Answer answer) {
    Doorway doorway(listener, secret, purpose, std::move(answer));
    doorway.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!doorway.epoll_) return descriptor_failure("a listener", errno);
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(doorway.epoll_.get(), EPOLL_CTL_ADD, listener, &event) != 0) {
        return system_error("cannot watch a listener: {}", errno_text("epoll_ctl", errno));
    }
    return doorway;
}

// Who has waited inside goes first: he may be about to leave, and need not make room.
Result<std::vector<Guest>> Doorway::advance() {
    std::vector<Guest> guests;
    const auto now = Clock::now();
    for (auto stranger = strangers_.begin(); stranger != strangers_.end();) {
        const auto progress = stranger->handshake.advance();
        if (progress == Handshake::Progress::kDone) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stranger->socket.get(), nullptr);
            guests.push_back({std::move(stranger->socket), stranger->handshake.peer_hello()});
        } else if (progress != Handshake::Progress::kFailed && now - stranger->came <= kPatience) {
            const bool wants_write = progress == Handshake::Progress::kWantWrite;
            if (wants_write != stranger->wants_write) {
                watch(&*stranger, wants_write, EPOLL_CTL_MOD);
            }
            ++stranger;
            continue;
        }
        stranger = strangers_.erase(stranger);
    }
    XCCL_TRY(admit());
    return guests;
}

Status Doorway::admit() {
    for (int i = 0; i < kMaxAdmissions; ++i) {
        OwnedDescriptor socket(
            ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket && (errno == EMFILE || errno == ENFILE)) {
            const int error = errno;
            if (!is_readable(listener_)) return ok_status();
            if (strangers_.empty()) return descriptor_failure("a caller", error);
            make_room();
            continue;
        }
        if (!socket) return ok_status();  // nobody there, or gone again
        if (strangers_.size() >= kMaxStrangers) make_room();
        prepare_connection(socket.get());
        const int fd = socket.get();
        strangers_.push_back(
            {std::move(socket), Handshake::server(fd, secret_, purpose_, answer_), Clock::now()});
        watch(&strangers_.back(), false, EPOLL_CTL_ADD);
    }
    return ok_status();
}

void Doorway::make_room() {
    const auto silent = std::find_if(strangers_.begin(), strangers_.end(),
                                     [](const Stranger& s) { return !s.handshake.challenged(); });
    strangers_.erase(silent != strangers_.end() ? silent : strangers_.begin());
}

void Doorway::watch(Stranger* stranger, bool wants_write, int operation) {
    stranger->wants_write = wants_write;
    epoll_event event{};
    event.events = wants_write ? EPOLLOUT : EPOLLIN;
    ::epoll_ctl(epoll_.get(), operation, stranger->socket.get(), &event);
}

}  // namespace xccl
