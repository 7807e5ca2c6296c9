#include "run/progress.h"

#include <fmt/format.h>

#include <cstdio>

namespace xccl::perf {
namespace {

constexpr double kSilentSeconds = 2;
constexpr double kBytesPerCall = 64 << 10;  // a call costs about as much as that many bytes
constexpr const char* kClearLine = "\r\033[K";

}  // namespace

double row_weight(std::size_t bytes) {
    return static_cast<double>(bytes) + kBytesPerCall;
}

std::string duration_text(double seconds) {
    if (seconds < 120) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

void Progress::expect(std::size_t rows, double weight) {
    const std::lock_guard lock(mutex_);
    rows_ = rows;
    weight_ = weight;
}

void Progress::start_row(const std::string& what, double weight) {
    const std::lock_guard lock(mutex_);
    ++row_;
    done_ += current_;
    current_ = weight;
    what_ = what;
    row_start_s_ = seconds();
}

std::string Progress::text(double seconds) const {
    std::string text = fmt::format("row {}", row_);
    if (rows_ > 0) text += fmt::format(" of {}", rows_);
    text += fmt::format(", {}, {}", what_, duration_text(seconds));
    if (done_ > 0 && weight_ > done_) {  // as fast as the rows before this one
        const double end = row_start_s_ * weight_ / done_;
        if (end > seconds + 1) text += fmt::format(", about {} left", duration_text(end - seconds));
    }
    return text;
}

void Progress::show() {
    const std::lock_guard lock(mutex_);
    const double now = seconds();
    if (!enabled_ || row_ == 0 || now < kSilentSeconds) return;
    std::fputs((kClearLine + text(now)).c_str(), stderr);
    std::fflush(stderr);
    is_shown_ = true;
}

void Progress::clear() {
    const std::lock_guard lock(mutex_);
    if (!is_shown_) return;
    std::fputs(kClearLine, stderr);
    std::fflush(stderr);
    is_shown_ = false;
}

}  // namespace xccl::perf
