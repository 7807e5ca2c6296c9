#include "limits/figure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace xccl::limits {
namespace {

// Three digits that count, since batches differ in the third.
std::string rounded(double value) {
    char text[32];
    const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string verdict(const Figure& figure) {
    if (!figure.reason.empty()) return "void: " + figure.reason;
    return figure.is_void() ? "void: disturbed" : "";
}

}  // namespace

double quantile(std::span<const double> samples, double share) {
    if (samples.empty()) return 0;
    std::vector<double> sorted(samples.begin(), samples.end());
    std::sort(sorted.begin(), sorted.end());
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

Figure figure_of(std::string_view name, std::string_view unit, std::span<const double> samples) {
    if (samples.empty()) return no_figure(name, unit, "nothing was measured");
    const double median = quantile(samples, 0.5);
    const double range = quantile(samples, 0.75) - quantile(samples, 0.25);
    return {.name = std::string(name),
            .unit = std::string(unit),
            .value = median,
            .spread = median > 0 ? range / median : 0,
            .batches = static_cast<int>(samples.size()),
            .reason = median > 0 ? "" : "below what a clock tells apart"};
}

Figure no_figure(std::string_view name, std::string_view unit, std::string_view reason) {
    return {.name = std::string(name), .unit = std::string(unit), .reason = std::string(reason)};
}

std::string json_line(const Figure& figure) {
    char numbers[128];
    std::snprintf(numbers, sizeof numbers,
                  "\"value\": %.6g, \"spread\": %.4f, \"batches\": %d, \"void\": %s", figure.value,
                  figure.spread, figure.batches, figure.is_void() ? "true" : "false");
    std::string line =
        "{\"name\": \"" + figure.name + "\", \"unit\": \"" + figure.unit + "\", " + numbers;
    if (!figure.reason.empty()) line += ", \"reason\": \"" + figure.reason + "\"";
    return line + "}";
}

std::string table(const std::vector<Figure>& figures) {
    std::size_t width = 0;
    for (const Figure& figure : figures) width = std::max(width, figure.name.size());
    std::string text;
    for (const Figure& figure : figures) {
        char line[256];
        std::snprintf(line, sizeof line, "%-*s %9s %-5s %5.1f %%  %s", static_cast<int>(width),
                      figure.name.c_str(),
                      figure.reason.empty() ? rounded(figure.value).c_str() : "-",
                      figure.unit.c_str(), 100 * figure.spread, verdict(figure).c_str());
        text += line;
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    }
    return text;
}

}  // namespace xccl::limits
