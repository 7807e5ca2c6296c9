#include "transport/segment_handover.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/owned_descriptor.h"
#include "base/unix_address.h"

namespace xccl {
namespace {

struct Answer {
    Nonce answer;
    Mac mac;
};
static_assert(sizeof(Answer) == 64);

constexpr std::size_t kMaxVisitors = 64;  // that have not proved who they are
constexpr std::chrono::milliseconds kVisitorPatience{2000};
constexpr int kLookMs = 20;  // how often a wait asks whether it is to end

Status ask(const Interruption& interrupted) {
    return interrupted ? interrupted() : ok_status();
}

// ---- The maker's side -----------------------------------------------------------------------

struct Visitor {
    OwnedDescriptor socket;
    Nonce challenge;
    Deadline patience;
};

// Asks everybody who has knocked to prove himself.
void admit(int listener, std::vector<Visitor>* visitors) {
    for (;;) {
        OwnedDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket.get() < 0) return;
        if (!has_my_user_id(socket.get())) continue;
        const Nonce challenge = make_nonce();
        if (send(socket.get(), challenge.data(), challenge.size(), MSG_NOSIGNAL) < 0) continue;
        if (visitors->size() == kMaxVisitors) visitors->erase(visitors->begin());  // the oldest
        visitors->push_back({std::move(socket), challenge, Deadline::after(kVisitorPatience)});
    }
}

bool send_descriptor(int socket, const Mac& mac, int descriptor) {
    iovec bytes{const_cast<std::uint8_t*>(mac.data()), mac.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(mac.size());
}

enum class Verdict { kWait, kServed, kGone };

Verdict hear(const Visitor& visitor, const Secret& secret, int descriptor) {
    Answer answer;
    const ssize_t bytes = recv(visitor.socket.get(), &answer, sizeof answer, 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
        return visitor.patience.passed() ? Verdict::kGone : Verdict::kWait;
    }
    if (bytes != sizeof answer) return Verdict::kGone;
    const Mac wanted = mac_of(secret, "visitor", {visitor.challenge, answer.answer});
    if (!same_mac(wanted, answer.mac)) return Verdict::kGone;
    const Mac mine = mac_of(secret, "maker", {visitor.challenge, answer.answer});
    return send_descriptor(visitor.socket.get(), mine, descriptor) ? Verdict::kServed
                                                                   : Verdict::kGone;
}

void wait_for_any(int listener, const std::vector<Visitor>& visitors, Deadline deadline) {
    std::vector<pollfd> descriptors{{listener, POLLIN, 0}};
    for (const Visitor& visitor : visitors) {
        descriptors.push_back({visitor.socket.get(), POLLIN, 0});
    }
    poll(descriptors.data(), descriptors.size(), deadline.poll_timeout_ms(kLookMs));
}

// ---- The visitor's side ---------------------------------------------------------------------

Status wait_readable(int socket, Deadline deadline, const Interruption& interrupted) {
    for (;;) {
        pollfd wanted{socket, POLLIN, 0};
        if (poll(&wanted, 1, deadline.poll_timeout_ms(kLookMs)) > 0) return ok_status();
        XCCL_TRY(ask(interrupted));
        if (deadline.passed()) {
            return timeout_error(
                "this host's first rank did not hand over the shared segment in time; see whether "
                "it is late or stuck");
        }
    }
}

// The descriptor that came with the maker's proof; none if it was not one.
Result<OwnedDescriptor> receive_descriptor(int socket, const Mac& wanted) {
    Mac mac{};
    iovec bytes{mac.data(), mac.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    OwnedDescriptor descriptor;
    const cmsghdr* const header = count > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int))) {
        int received = -1;
        std::memcpy(&received, CMSG_DATA(header), sizeof received);
        descriptor = OwnedDescriptor(received);
    }
    const bool proved = count == static_cast<ssize_t>(mac.size()) && same_mac(mac, wanted);
    if (proved && !descriptor && (message.msg_flags & MSG_CTRUNC) != 0)
        return descriptor_failure("the shared segment", EMFILE);
    return proved ? std::move(descriptor) : OwnedDescriptor();
}

// One visit. No value: it came to nothing, and another may do better.
Result<std::optional<OwnedDescriptor>> visit(const std::string& name, const Secret& secret,
                                             Deadline deadline, const Interruption& interrupted) {
    const OwnedDescriptor socket(
        ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.get() < 0) return descriptor_failure("fetching the shared segment", errno);
    const UnixAddress address = abstract_address(name);
    if (connect(socket.get(), address.get(), address.length) != 0) {
        if (errno == EAGAIN || errno == EINTR) return std::optional<OwnedDescriptor>();  // crowded
        return remote_error("cannot reach this host's first rank for the shared segment: {}",
                            errno_text("connect", errno));
    }
    if (!has_my_user_id(socket.get())) {
        return remote_error(
            "the shared segment is offered by another user; ranks of one host must run as one "
            "user");
    }
    Nonce challenge;
    XCCL_TRY(wait_readable(socket.get(), deadline, interrupted));
    if (recv(socket.get(), challenge.data(), challenge.size(), 0) !=
        static_cast<ssize_t>(challenge.size())) {
        return std::optional<OwnedDescriptor>();
    }
    Answer answer;
    answer.answer = make_nonce();
    answer.mac = mac_of(secret, "visitor", {challenge, answer.answer});
    if (send(socket.get(), &answer, sizeof answer, MSG_NOSIGNAL) < 0) {
        return std::optional<OwnedDescriptor>();
    }
    XCCL_TRY(wait_readable(socket.get(), deadline, interrupted));
    XCCL_ASSIGN(
        OwnedDescriptor descriptor,
        receive_descriptor(socket.get(), mac_of(secret, "maker", {challenge, answer.answer})));
    if (descriptor.get() < 0) return std::optional<OwnedDescriptor>();
    return std::optional<OwnedDescriptor>(std::move(descriptor));
}

}  // namespace

// ---- SegmentHandover ------------------------------------------------------------------------

Result<std::unique_ptr<SegmentHandover>> SegmentHandover::open(std::shared_ptr<Segment> segment,
                                                               const Secret& secret) {
    std::unique_ptr<SegmentHandover> handover(new SegmentHandover(std::move(segment), secret));
    std::array<std::uint64_t, 2> number;
    std::memcpy(number.data(), make_nonce().data(), sizeof number);
    handover->name_ = fmt::format("xccl-segment-{:016x}{:016x}", number[0], number[1]);
    handover->listener_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!handover->listener_) {
        return descriptor_failure("handing over the shared segment", errno);
    }
    const UnixAddress address = abstract_address(handover->name_);
    if (bind(handover->listener_.get(), address.get(), address.length) != 0 ||
        listen(handover->listener_.get(), SOMAXCONN) != 0) {
        return system_error("cannot offer the shared segment: {}", errno_text("listen", errno));
    }
    return handover;
}

Status SegmentHandover::serve(int receivers, Deadline deadline, const Interruption& interrupted) {
    std::vector<Visitor> visitors;
    for (int served = 0; served < receivers;) {
        XCCL_TRY(ask(interrupted));
        if (deadline.passed()) {
            return timeout_error(
                "{} of {} processes of this host did not fetch the shared segment in time; see "
                "whether they are late or stuck",
                receivers - served, receivers);
        }
        wait_for_any(listener_.get(), visitors, deadline);
        for (auto visitor = visitors.begin(); visitor != visitors.end();) {
            const Verdict verdict = hear(*visitor, secret_, segment_->descriptor());
            served += verdict == Verdict::kServed;
            visitor = verdict == Verdict::kWait ? visitor + 1 : visitors.erase(visitor);
        }
        admit(listener_.get(), &visitors);
    }
    return ok_status();
}

Result<std::shared_ptr<Segment>> fetch_segment(const std::string& name, const Secret& secret,
                                               const SegmentLayout& layout, Deadline deadline,
                                               const Interruption& interrupted) {
    for (;;) {
        XCCL_ASSIGN(std::optional<OwnedDescriptor> fetched,
                    visit(name, secret, deadline, interrupted));
        if (fetched) return Segment::attach(fetched->release(), layout);
        XCCL_TRY(ask(interrupted));
        if (deadline.passed()) {
            return timeout_error(
                "this host's first rank refused to hand over the shared segment; see that all "
                "ranks have the same unique id");
        }
        poll(nullptr, 0, 2);  // it was busy, or took us for somebody else
    }
}

}  // namespace xccl
