#include "report/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "report/time_shares.h"

namespace xccl::trainer {
namespace {

constexpr double kTerminalSeconds = 0.2;
constexpr double kLogSeconds = 10;
constexpr double kLogGrowth = 1.25;  // a log of a long run stays short: lines grow apart
constexpr std::size_t kBarColumns = 20;
constexpr std::size_t kLogColumns = 400;

std::size_t columns_of(std::FILE* out) {
    winsize size{};
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

std::string bar(double done) {
    static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto eighths = static_cast<std::size_t>(std::clamp(done, 0.0, 1.0) * kBarColumns * 8);
    std::string text = "▕";
    std::size_t column = 0;
    for (; column < eighths / 8; ++column) text += "█";
    if (column < kBarColumns && eighths % 8 > 0) {
        text += kEighths[eighths % 8];
        ++column;
    }
    for (; column < kBarColumns; ++column) text += " ";
    return text + "▏";
}

}  // namespace

std::string progress_text(const Progress& progress, std::size_t width) {
    const std::string head = fmt::format("{:3.0f} %  {} left  loss {:.3f}  {} tok/s",
                                         100 * progress.done, clock_text(progress.seconds_left),
                                         progress.loss, grouped(progress.tokens_per_second));
    const std::string step = progress.steps > 0
                                 ? fmt::format("step {}/{}", progress.step, progress.steps)
                                 : fmt::format("step {}", progress.step);
    const std::string words = shares_text(progress.times);
    const std::string brief = brief_shares_text(progress.times);

    // The first that fits.
    const struct {
        bool bar;
        std::string text;
    } forms[] = {
        {true, head + "  " + words + "  " + step},
        {true, head + "  " + words},
        {true, head + "  " + brief},
        {false, head + "  " + words},
        {false, head + "  " + brief},
        {true, head},
        {false, head},
    };
    for (const auto& [with_bar, text] : forms) {
        if (text.size() + (with_bar ? kBarColumns + 3 : 0) > width) continue;
        return with_bar ? bar(progress.done) + " " + text : text;
    }
    return head.substr(0, width);
}

ProgressLine::ProgressLine(std::FILE* out)
    : out_(out),
      terminal_(isatty(fileno(out)) == 1),
      interval_(terminal_ ? kTerminalSeconds : kLogSeconds) {}

ProgressLine::~ProgressLine() {
    finish();
}

void ProgressLine::show(const Progress& progress, double elapsed) {
    next_ = elapsed + interval_;
    if (!terminal_) {
        interval_ *= kLogGrowth;
        fmt::print(out_, "{}\n", progress_text(progress, kLogColumns));
    } else {
        fmt::print(out_, "\r\033[K{}", progress_text(progress, columns_of(out_) - 1));
        open_ = true;
    }
    std::fflush(out_);
}

void ProgressLine::finish() {
    if (open_) fmt::print(out_, "\n");
    std::fflush(out_);
    open_ = false;
}

}  // namespace xccl::trainer
