#include "xccl_run/line_relay.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace xccl::run {
namespace {

constexpr std::size_t kMaxLineBytes = 1 << 16;     // longer lines are cut
constexpr std::size_t kMaxPendingBytes = 1 << 20;  // from then on, writers wait

}  // namespace

void LineSink::put(std::string_view prefix, std::string_view line) {
    if (closed_) return;
    pending_.append(prefix).append(line).push_back('\n');
}

void LineSink::write_some() {
    if (!wants_write()) return;
    // A pipe that poll() calls writable has room for PIPE_BUF bytes.
    const std::size_t size = std::min<std::size_t>(pending_.size() - sent_, PIPE_BUF);
    const ssize_t count = write(descriptor_, pending_.data() + sent_, size);
    if (count > 0) sent_ += static_cast<std::size_t>(count);
    if (count < 0 && errno != EAGAIN && errno != EINTR) closed_ = true;
    if (sent_ == pending_.size() || closed_) {
        pending_.clear();
        sent_ = 0;
    } else if (sent_ > kMaxPendingBytes) {
        pending_.erase(0, sent_);
        sent_ = 0;
    }
}

bool LineSink::is_full() const {
    return pending_.size() - sent_ >= kMaxPendingBytes;
}

void LineSource::take(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, std::min(end, kMaxLineBytes - line_.size()));
        line_.append(piece);
        bytes.remove_prefix(piece.size());
        const bool ended = !bytes.empty() && bytes.front() == '\n';
        if (ended) bytes.remove_prefix(1);
        if (!ended && line_.size() < kMaxLineBytes) return;
        sink_->put(prefix_, line_);
        line_.clear();
    }
}

void LineSource::finish() {
    if (!line_.empty()) sink_->put(prefix_, line_);
    line_.clear();
}

}  // namespace xccl::run
