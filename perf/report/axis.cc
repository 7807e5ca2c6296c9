#include "report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace xccl::perf {
namespace {

constexpr std::array<double, 3> kSteps = {1, 2, 5};

// The powers of two, or 1, 2, 5, 10, 20 ..., from the last one not above `smallest` to the first
// not below `largest`.
std::vector<double> marks(double smallest, double largest, int base) {
    std::vector<double> all;
    const int first_power = static_cast<int>(std::floor(std::log(smallest) / std::log(base)));
    for (int power = first_power - 1; all.empty() || all.back() < largest; ++power) {
        const double value = std::pow(base, power);
        if (base == 2) {
            all.push_back(value);
            continue;
        }
        for (const double step : kSteps) all.push_back(value * step);
    }
    const auto after_start = std::upper_bound(all.begin(), all.end(), smallest * (1 + 1e-9));
    const auto start = after_start == all.begin() ? after_start : after_start - 1;
    auto end = std::lower_bound(start, all.end(), largest * (1 - 1e-9));
    if (end != all.end()) ++end;
    return {start, end};
}

}  // namespace

LogAxis::LogAxis(double smallest, double largest, int base) : base_(base) {
    const std::vector<double> all = marks(smallest, largest, base);
    first_ = all.front();
    last_ = all.back() > first_ ? all.back() : first_ * base;
}

double LogAxis::place(double value) const {
    return std::log(value / first_) / std::log(last_ / first_);
}

std::vector<double> LogAxis::ticks(int most) const {
    std::vector<double> all = marks(first_, last_, base_);
    if (base_ == 10 && all.size() > static_cast<std::size_t>(most)) {  // powers of ten only
        std::erase_if(all, [](double value) {
            const double power = std::log10(value);
            return std::fabs(power - std::round(power)) > 1e-6;
        });
    }
    const std::size_t stride =
        (all.size() + static_cast<std::size_t>(most) - 1) / static_cast<std::size_t>(most);
    std::vector<double> kept;
    for (std::size_t i = 0; i < all.size(); i += std::max<std::size_t>(stride, 1)) {
        kept.push_back(all[i]);
    }
    return kept;
}

std::string size_label(double bytes) {
    constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < kUnits.size()) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{:.3g} {}", bytes, kUnits[unit]);
}

std::string time_label(double us) {
    if (us < 1000) return fmt::format("{:.3g} us", us);
    if (us < 1e6) return fmt::format("{:.3g} ms", us / 1000);
    return fmt::format("{:.3g} s", us / 1e6);
}

std::string bandwidth_label(double gbs) {
    return fmt::format("{:.3g}", gbs);
}

}  // namespace xccl::perf
