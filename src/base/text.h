// Text from outside: numbers read from it, and how it is shown.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xccl {

// The decimal number that all of the text is; none if it is anything else, or does not fit.
template <typename Integer = std::int64_t>
std::optional<Integer> whole_number(std::string_view text) {
    Integer value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// A stranger's text as it may stand on a terminal: at most 60 bytes of it, and nothing that some
// terminal would obey, so nothing but ASCII.
std::string printable(std::string_view text);

}  // namespace xccl
