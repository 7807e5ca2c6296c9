#include "plan/overrides.h"

#include <fmt/format.h>

#include "base/datatypes.h"
#include "base/nearest_name.h"

namespace xccl {
namespace {

constexpr std::size_t kMaxShownBytes = 60;

std::vector<std::string_view> collective_names() {
    std::vector<std::string_view> names;
    for (int coll = 0; coll < xcclNumColls; ++coll) {
        if (coll != xcclCollSendRecv) names.push_back(coll_name(static_cast<xcclColl_t>(coll)));
    }
    return names;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

Status unknown(const char* what, std::string_view name,
               const std::vector<std::string_view>& known) {
    const std::string_view nearest = nearest_name(name, known);
    return invalid_argument("\"{}\" is not {}{}; known: {}", name.substr(0, kMaxShownBytes), what,
                            nearest.empty() ? "" : fmt::format(", did you mean {}?", nearest),
                            fmt::join(known, ", "));
}

Result<xcclColl_t> collective(std::string_view name) {
    for (int coll = 0; coll < xcclNumColls; ++coll) {
        const auto value = static_cast<xcclColl_t>(coll);
        if (value != xcclCollSendRecv && name == coll_name(value)) return value;
    }
    return unknown("a collective that has algorithms", name, collective_names());
}

Status check_algorithm(std::string_view name, const std::vector<std::string_view>& known) {
    for (std::string_view k : known) {
        if (k == name) return ok_status();
    }
    return unknown("an algorithm", name, known);
}

}  // namespace

Result<Overrides> Overrides::parse(std::string_view text,
                                   const std::vector<std::string_view>& known) {
    Overrides overrides;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view entry = trimmed(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        if (entry.empty()) continue;
        const std::size_t colon = entry.find(':');
        xcclColl_t coll = xcclNumColls;
        if (colon != std::string_view::npos) {
            XCCL_ASSIGN(coll, collective(trimmed(entry.substr(0, colon))));
        }
        const std::string_view name =
            trimmed(entry.substr(colon == std::string_view::npos ? 0 : colon + 1));
        XCCL_TRY(check_algorithm(name, known));
        overrides.entries_.emplace_back(coll, name);
    }
    return overrides;
}

std::vector<std::string_view> Overrides::names_for(xcclColl_t coll) const {
    std::vector<std::string_view> names;
    for (xcclColl_t wanted : {coll, xcclNumColls}) {
        for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
            if (entry->first == wanted) names.push_back(entry->second);
        }
    }
    return names;
}

}  // namespace xccl
