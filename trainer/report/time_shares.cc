#include "report/time_shares.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace xccl::trainer {

std::string shares_text(const StepTimes& times) {
    std::string text;
    for (const TimeShare& share : kTimeShares) {
        if (std::string_view(share.name) == "other") continue;
        text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : "  ", share.name,
                            100 * share_of(times.*share.seconds, times));
    }
    return text;
}

std::string brief_shares_text(const StepTimes& times) {
    const auto percent = [&times](double seconds) { return 100 * share_of(seconds, times); };
    return fmt::format("compute {:.0f} comm {:.0f} in {:.0f} opt {:.0f} %", percent(times.compute),
                       percent(times.exposed_communication), percent(times.input),
                       percent(times.optimizer));
}

std::string clock_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::clamp(std::ceil(seconds), 0.0, 1e12));
    const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
    return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                     : fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string grouped(double value) {
    const std::string digits = fmt::format("{:.0f}", value);
    const std::size_t first = digits.starts_with('-') ? 1 : 0;
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > first && (digits.size() - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return text;
}

}  // namespace xccl::trainer
