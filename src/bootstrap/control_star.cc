#include "bootstrap/control_star.h"

#include <sys/epoll.h>

#include <cstring>

#include "base/bytes.h"

namespace xccl {
namespace {

enum Kind : std::uint8_t { kFailureFrame = 1, kLostFrame = 2, kLeaveFrame = 3 };

std::string encode(const FailureNotice& notice, int teller) {
    const std::size_t length = strnlen(notice.text, sizeof notice.text);
    return ByteWriter()
        .put(static_cast<std::int32_t>(teller))
        .put(static_cast<std::int32_t>(notice.culprit_rank))
        .put(static_cast<std::int32_t>(notice.result))
        .put(notice.operation)
        .counted({notice.text, length})
        .take();
}

bool decode(std::string_view body, FailureNotice* notice, int* teller) {
    ByteReader reader(body);
    *teller = reader.get<std::int32_t>();
    notice->culprit_rank = reader.get<std::int32_t>();
    notice->result = reader.get<std::int32_t>();
    notice->operation = reader.get<std::uint64_t>();
    const std::string_view text = reader.counted(sizeof notice->text - 1);
    text.copy(notice->text, text.size());
    return reader.complete();
}

}  // namespace

ControlStar::ControlStar(int rank, std::vector<std::unique_ptr<FrameStream>> streams,
                         OwnedDescriptor epoll)
    : rank_(rank), epoll_(std::move(epoll)) {
    spokes_.resize(streams.size());
    for (std::size_t i = 0; i < streams.size(); ++i) {
        spokes_[i].stream = std::move(streams[i]);
        if (!spokes_[i].stream) continue;
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = static_cast<std::uint32_t>(i);
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, spokes_[i].stream->fd(), &event);
    }
}

ControlStar::~ControlStar() = default;

void ControlStar::send_failure(const FailureNotice& notice) {
    send_to_all_but(-1, kFailureFrame, encode(notice, rank_));
}

void ControlStar::leave() {
    send_to_all_but(-1, kLeaveFrame, ByteWriter().put(static_cast<std::int32_t>(rank_)).take());
}

std::vector<ControlEvent> ControlStar::poll() {
    std::vector<ControlEvent> events;
    epoll_event ready[64];
    const int count = ::epoll_wait(epoll_.get(), ready, 64, 0);
    for (int i = 0; i < count; ++i) {
        const int index = static_cast<int>(ready[i].data.u32);
        if (ready[i].events & EPOLLOUT) flush(index);
        if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_spoke(index, &events);
    }
    return events;
}

void ControlStar::read_spoke(int index, std::vector<ControlEvent>* events) {
    while (spokes_[index].stream) {
        Result<std::optional<Frame>> frame = spokes_[index].stream->receive();
        if (frame.ok() && frame.value()) {
            take_frame(index, *frame.value(), events);
        } else if (!frame.ok() || spokes_[index].stream->ended()) {
            close_spoke(index, events);
        } else {
            return;
        }
    }
}

void ControlStar::take_frame(int index, const Frame& frame, std::vector<ControlEvent>* events) {
    ControlEvent event;
    if (frame.kind == kLeaveFrame) {
        spokes_[index].left = true;
    } else if (frame.kind == kLostFrame) {
        event.kind = ControlEvent::Kind::kLost;
        event.rank = ByteReader(frame.body).get<std::int32_t>();
        events->push_back(event);
    } else if (frame.kind == kFailureFrame && decode(frame.body, &event.notice, &event.rank)) {
        if (rank_ == 0) {
            event.rank = index;  // nobody speaks for another
            send_to_all_but(index, kFailureFrame, encode(event.notice, index));
        }
        events->push_back(event);
    } else {
        close_spoke(index, events);  // a peer that talks nonsense is as good as lost
    }
}

void ControlStar::close_spoke(int index, std::vector<ControlEvent>* events) {
    Spoke& spoke = spokes_[index];
    spoke.stream.reset();  // leaves the epoll set, too
    if (spoke.left) return;
    ControlEvent event;
    event.kind = ControlEvent::Kind::kLost;
    event.rank = rank_of(index);
    events->push_back(event);
    if (rank_ != 0) return;
    send_to_all_but(index, kLostFrame, ByteWriter().put(static_cast<std::int32_t>(index)).take());
}

void ControlStar::send_to_all_but(int index, std::uint8_t kind, const std::string& body) {
    const auto shared = std::make_shared<const std::string>(body);
    for (std::size_t i = 0; i < spokes_.size(); ++i) {
        if (static_cast<int>(i) == index || !spokes_[i].stream) continue;
        spokes_[i].stream->send(kind, shared);
        flush(static_cast<int>(i));
    }
}

void ControlStar::flush(int index) {
    Spoke& spoke = spokes_[index];
    if (!spoke.stream) return;
    // A failure to send shows again when the spoke is read, where it is told.
    (void)spoke.stream->flush().ok();
    const bool wants_write = spoke.stream->has_output();
    if (wants_write == spoke.wants_write) return;
    spoke.wants_write = wants_write;
    epoll_event event{};
    event.events = wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(index);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, spoke.stream->fd(), &event);
}

}  // namespace xccl
