#include "bootstrap/root_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "bootstrap/unique_id.h"
#include "trust/dial.h"

namespace xccl {
namespace {

constexpr std::uint32_t kDoor = 0xffffffff;  // tag of the doorway in the epoll set
constexpr std::size_t kUplink = 0;           // index in parties_
constexpr int kPatienceForAnyoneMs = 3600 * 1000;
constexpr int kPatienceWithLateOnesMs = 10000;     // for those who have not come yet to hear of it
constexpr int kPatienceAtEndMs = 2000;             // for what is on its way when the process ends
constexpr std::uint32_t kUplinkHeadStartMs = 200;  // a root near the missing rank names it first

}  // namespace

Result<std::unique_ptr<RootServer>> RootServer::open(OwnedDescriptor listener,
                                                     const Secret& secret) {
    std::unique_ptr<RootServer> server(new RootServer(std::move(listener), secret));
    server->parties_.resize(1);
    server->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!server->epoll_) return descriptor_failure("a rendezvous", errno);
    // Whoever knows the secret is let in; whether there is a seat for him is told in a frame.
    XCCL_ASSIGN(Doorway doorway,
                Doorway::open(server->listener_.get(), secret, Purpose::kRendezvous,
                              [](const std::string&) { return std::string(); }));
    server->doorway_ = std::make_unique<Doorway>(std::move(doorway));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = kDoor;
    if (::epoll_ctl(server->epoll_.get(), EPOLL_CTL_ADD, server->doorway_->fd(), &event) != 0) {
        return system_error("cannot watch a rendezvous: {}", errno_text("epoll_ctl", errno));
    }
    server->end_ = Deadline::after_ms(kPatienceForAnyoneMs);
    return server;
}

// ---- The loop -------------------------------------------------------------------------------

void RootServer::run(std::mutex* busy, const std::atomic<bool>* stop) {
    busy->lock();
    for (bool stopping = false; !is_over(stopping);) {
        wait(busy);
        if (!stopping && stop->load(std::memory_order_acquire)) {
            stopping = true;
            begin_to_stop();
        }
        if (!stopping) admit_guests(busy, stop);
        if (meeting_.is_gathering() && gather_end_.passed()) meeting_.run_out_of_time();
        settle();
    }
    busy->unlock();
}

void RootServer::wait(std::mutex* busy) {
    epoll_event ready[64];
    const int timeout_ms = wait_ms();
    busy->unlock();
    const int count = ::epoll_wait(epoll_.get(), ready, 64, timeout_ms);
    busy->lock();
    for (int i = 0; i < count; ++i) {
        if (ready[i].data.u32 == kDoor) continue;
        const std::size_t index = ready[i].data.u32;
        if (ready[i].events & EPOLLOUT) flush(index);
        if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
            index == kUplink ? read_uplink() : read_party(index);
        }
    }
}

int RootServer::wait_ms() const {
    const Deadline next = meeting_.is_gathering() ? gather_end_.earlier(end_) : end_;
    return next.poll_timeout_ms(doorway_ && doorway_->any() ? Doorway::kLookMs : 60000);
}

bool RootServer::is_over(bool stopping) {
    if (end_.passed()) return true;
    if (has_output()) return false;
    return stopping || meeting_.is_over();
}

bool RootServer::has_output() const {
    return std::any_of(parties_.begin(), parties_.end(), [](const Party& party) {
        return party.stream && party.stream->has_output();
    });
}

void RootServer::wake() {
    ::shutdown(listener_.get(), SHUT_RD);
}

void RootServer::begin_to_stop() {
    doorway_.reset();  // leaves the epoll set
    listener_.reset();
    end_ = Deadline::after_ms(kPatienceAtEndMs);
    if (meeting_.has_begun() && !meeting_.is_over()) {
        meeting_.fail(remote_error("{} has ended", server_text(server_)));
    }
}

// ---- Coming ---------------------------------------------------------------------------------

void RootServer::admit_guests(std::mutex* busy, const std::atomic<bool>* stop) {
    Result<std::vector<Guest>> guests = doorway_->advance();
    if (!guests.ok()) {
        meeting_.fail(guests.status());
        return;
    }
    const bool had_begun = meeting_.has_begun();
    for (Guest& guest : *guests) receive_guest(std::move(guest));
    if (!had_begun && meeting_.has_begun()) {
        end_ = Deadline::never();
        if (meeting_.terms().root_index > 0) call_first_root(busy, stop);
    }
}

void RootServer::receive_guest(Guest guest) {
    const auto introduction = decode_introduction(guest.hello);
    const std::size_t parts = introduction ? static_cast<std::size_t>(introduction->party_size) : 1;
    const std::size_t max_body = std::min(parts * kMaxPartBytes, kMaxTableBytes) + kMaxHeadBytes;
    Party party{.stream = std::make_unique<FrameStream>(std::move(guest.socket), max_body)};
    const Result<int> seat =
        introduction ? meeting_.admit(*introduction)
                     : Result<int>(remote_error("the rendezvous does not understand this process; "
                                                "use the same version of xccl on all ranks"));
    if (!seat.ok()) {
        party.stream->send(kFailed, encode(seat.status()));
        // A fresh socket takes so little at once; what comes after is of no interest.
        (void)party.stream->flush().ok();
        ::shutdown(party.stream->fd(), SHUT_WR);
        return;
    }
    if (introduction->process == server_.process && introduction->party_size == 1) {
        server_.rank = introduction->first_rank;
        send_to_all(kWelcome, encode(server_));
    }
    party.seat = *seat;
    party.stream->send(kWelcome, encode(server_));
    parties_.push_back(std::move(party));
    watch(parties_.size() - 1, false, EPOLL_CTL_ADD);
    flush(parties_.size() - 1);
}

void RootServer::call_first_root(std::mutex* busy, const std::atomic<bool>* stop) {
    const Introduction terms = meeting_.terms();
    xcclUniqueId id{};
    terms.first_id.copy(id.internal, sizeof id.internal);
    const Result<Rendezvous> first = unpack_id(id);
    if (!first.ok()) return meeting_.fail(first.status());
    Introduction mine;
    mine.first_rank = meeting_.ranks().first;
    mine.party_size = meeting_.ranks().count;
    mine.rank_count = terms.rank_count;
    mine.root_count = terms.root_count;
    mine.process = this_process();
    mine.patience_ms = terms.patience_ms;
    const CallTerms call{.addresses = first->addresses,
                         .secret = first->secret,
                         .purpose = Purpose::kRendezvous,
                         .hello = encode(mine),
                         .may_come_later = first->agreed_port};
    busy->unlock();
    Result<Connection> connection = dial(call, Deadline::after_ms(terms.patience_ms), stop);
    busy->lock();
    if (!connection.ok()) {
        return meeting_.fail(Status(
            connection.status().code(),
            fmt::format("one rendezvous cannot reach the first: {}", connection.status().text())));
    }
    parties_[kUplink].stream =
        std::make_unique<FrameStream>(std::move(connection->socket), kMaxFrameBytes);
    watch(kUplink, false, EPOLL_CTL_ADD);
}

// ---- Listening ------------------------------------------------------------------------------

void RootServer::read_party(std::size_t index) {
    while (parties_[index].stream) {
        Party& party = parties_[index];
        Result<std::optional<Frame>> frame = party.stream->receive();
        if (frame.ok() && *frame) {
            take_frame(&party, **frame);
        } else if (!frame.ok() || party.stream->ended()) {
            party.stream.reset();
            meeting_.lose(party.seat);
        } else {
            return;
        }
    }
}

void RootServer::take_frame(Party* party, const Frame& frame) {
    const auto gather = frame.kind == kGather ? decode_gather(frame.body) : std::nullopt;
    if (gather) {
        const Deadline end = Deadline::after_ms(gather->patience_ms);
        gather_end_ = meeting_.is_gathering() ? gather_end_.earlier(end) : end;
        meeting_.contribute(party->seat, gather->table);
    } else if (frame.kind == kLeave) {
        meeting_.leave(party->seat, decode_status(frame.body));
        party->stream.reset();
    } else {
        party->stream.reset();  // one that talks nonsense is as good as lost
        meeting_.lose(party->seat);
    }
}

void RootServer::read_uplink() {
    while (parties_[kUplink].stream) {
        FrameStream* const stream = parties_[kUplink].stream.get();
        Result<std::optional<Frame>> frame = stream->receive();
        if (frame.ok() && *frame) {
            take_uplink_frame(**frame);
        } else if (!frame.ok() || stream->ended()) {
            parties_[kUplink].stream.reset();
            meeting_.fail(
                remote_error("{} died or lost its connection", server_text(first_server_)));
        } else {
            return;
        }
    }
}

void RootServer::take_uplink_frame(const Frame& frame) {
    if (frame.kind == kWelcome) {
        first_server_ = decode_server(frame.body).value_or(Server{});
        return;
    }
    if (frame.kind == kGathered && is_uplink_waited_) {
        is_uplink_waited_ = false;
        send_to_all(kGathered, frame.body);
    } else {
        meeting_.fail(frame.kind == kFailed
                          ? decode_status(frame.body)
                          : remote_error("the first rendezvous talks nonsense; use the same "
                                         "version of xccl on all ranks"));
    }
}

// ---- Telling --------------------------------------------------------------------------------

void RootServer::settle() {
    if (!meeting_.failure().ok()) return tell_failure();
    if (meeting_.is_deserted()) {
        meeting_.fail(remote_error("those who came have left again; see their errors"));
        return tell_failure();
    }
    if (!meeting_.is_complete()) {
        if (meeting_.is_over() && parties_[kUplink].stream) {
            parties_[kUplink].stream->send(kLeave, encode(ok_status()));
            flush(kUplink);
        }
        return;
    }
    const std::string table = meeting_.take_table();
    if (meeting_.terms().root_index == 0) return send_to_all(kGathered, table);
    // Root 0's answer is the whole; its deadline is told so that a root near the missing rank
    // speaks first.
    const auto patience = static_cast<std::uint32_t>(gather_end_.remaining().count());
    parties_[kUplink].stream->send(kGather, encode(Gather{patience + kUplinkHeadStartMs, table}));
    is_uplink_waited_ = true;
    flush(kUplink);
}

void RootServer::tell_failure() {
    if (told_failure_) return;
    told_failure_ = true;
    end_ = end_.earlier(Deadline::after_ms(kPatienceWithLateOnesMs));
    send_to_all(kFailed, encode(meeting_.failure()));
    if (!parties_[kUplink].stream) return;
    parties_[kUplink].stream->send(kLeave, encode(meeting_.failure()));
    flush(kUplink);
}

void RootServer::send_to_all(std::uint8_t kind, std::string body) {
    const auto shared = std::make_shared<const std::string>(std::move(body));
    for (std::size_t i = kUplink + 1; i < parties_.size(); ++i) {
        if (!parties_[i].stream) continue;
        parties_[i].stream->send(kind, shared);
        flush(i);
    }
}

// A failure to send shows again when the connection is read.
void RootServer::flush(std::size_t index) {
    Party& party = parties_[index];
    if (!party.stream) return;
    (void)party.stream->flush().ok();
    const bool wants_write = party.stream->has_output();
    if (wants_write != party.wants_write) watch(index, wants_write, EPOLL_CTL_MOD);
}

void RootServer::watch(std::size_t index, bool wants_write, int operation) {
    parties_[index].wants_write = wants_write;
    epoll_event event{};
    event.events = wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(index);
    ::epoll_ctl(epoll_.get(), operation, parties_[index].stream->fd(), &event);
}

}  // namespace xccl
