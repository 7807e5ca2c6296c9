#include "comm/failure_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/owned_descriptor.h"
#include "base/quiet_thread.h"

namespace xccl {

// The thread that keeps an eye on the control star, in communicators that span hosts: it passes
// notices between this host's record and the star, so that a rank that computes delays nobody.
struct FailureWatch::Relay {
    std::unique_ptr<ControlStar> star;
    std::shared_ptr<Segment> segment;
    const Membership* membership;
    OwnedDescriptor wake_descriptor;
    std::atomic<bool> ending{false};
    std::mutex mutex;  // guards the star
    std::thread thread;

    void run();
    void take(const ControlEvent& event);
    void wake() const {
        const std::uint64_t one = 1;
        if (write(wake_descriptor.get(), &one, sizeof one) < 0) return;  // it is awake already
    }
};

void FailureWatch::Relay::take(const ControlEvent& event) {
    Failure failure;
    if (event.kind == ControlEvent::Kind::kLost) {
        failure.culprit_rank = event.rank;
        failure.code = xcclRemoteError;
        failure.text = fmt::format("{} died, or its connection broke; start the job again",
                                   membership->name_of(event.rank));
    } else {
        failure.culprit_rank = event.notice.culprit_rank;
        failure.code = static_cast<xcclResult_t>(event.notice.result);
        failure.operation_sequence = event.notice.operation;
        failure.text = event.notice.text;
    }
    if (segment->failure().publish(failure)) segment->ring_all();
}

void FailureWatch::Relay::run() {
    while (!ending.load(std::memory_order_acquire)) {
        pollfd entries[2] = {{star->fd(), POLLIN, 0}, {wake_descriptor.get(), POLLIN, 0}};
        poll(entries, 2, 1000);
        std::uint64_t count = 0;
        if (entries[1].revents && read(wake_descriptor.get(), &count, sizeof count) < 0) continue;
        const std::lock_guard lock(mutex);
        for (const ControlEvent& event : star->poll()) take(event);
    }
}

FailureWatch::FailureWatch(const Membership* membership, std::shared_ptr<Segment> segment,
                           std::vector<int> local_ranks, std::unique_ptr<ControlStar> star)
    : membership_(membership),
      segment_(std::move(segment)),
      local_ranks_(std::move(local_ranks)),
      my_index_(membership->topology.local_index(membership->rank)) {
    if (!star) return;
    relay_ = std::make_unique<Relay>();
    relay_->star = std::move(star);
    relay_->segment = segment_;
    relay_->membership = membership_;
    relay_->wake_descriptor.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    relay_->thread = quiet_thread([relay = relay_.get()] { relay->run(); });
}

FailureWatch::~FailureWatch() {
    leave();
}

Status FailureWatch::look() {
    if (const auto told = segment_->failure().read()) return Status(told->code, told->text);
    for (std::size_t i = 0; i < local_ranks_.size(); ++i) {
        if (segment_->state_of(static_cast<int>(i)) != RankState::kDied) continue;
        const int culprit = local_ranks_[i];
        return tell(remote_error("{} died; start the job again", membership_->name_of(culprit)),
                    culprit);
    }
    return ok_status();
}

bool FailureWatch::has_left(int peer) const {
    const auto place = std::find(local_ranks_.begin(), local_ranks_.end(), peer);
    if (place == local_ranks_.end()) return false;
    return segment_->state_of(static_cast<int>(place - local_ranks_.begin())) == RankState::kLeft;
}

Status FailureWatch::tell(const Status& failure, int culprit_rank) {
    if (!segment_->failure().publish({culprit_rank, failure.code(), 0, failure.text()})) {
        const auto first = segment_->failure().read();  // none while it is being written
        return first ? Status(first->code, first->text) : failure;
    }
    segment_->ring_all();
    if (!relay_) return failure;
    FailureNotice notice;
    notice.culprit_rank = culprit_rank;
    notice.result = failure.code();
    const std::size_t bytes = std::min(failure.text().size(), sizeof notice.text - 1);
    std::memcpy(notice.text, failure.text().data(), bytes);  // the rest is zero
    const std::lock_guard lock(relay_->mutex);
    relay_->star->send_failure(notice);
    relay_->wake();
    return failure;
}

void FailureWatch::say_farewell() {
    if (relay_) {
        const std::lock_guard lock(relay_->mutex);
        relay_->star->leave();
    }
    segment_->leave(my_index_);
}

void FailureWatch::leave() {
    if (relay_) {
        relay_->ending.store(true, std::memory_order_release);
        relay_->wake();
        relay_->thread.join();
        relay_->star->leave();
        relay_.reset();
    }
    segment_->leave(my_index_);
}

}  // namespace xccl
