#include "report/utf8.h"

#include <algorithm>
#include <cstdint>

namespace xccl::trainer {
namespace {

// What the first byte of a character says of its length; 0: it is none.
std::size_t announced_length(std::uint8_t first) {
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first < 0xe0) return 2;
    if (first >= 0xe0 && first < 0xf0) return 3;
    if (first >= 0xf0 && first < 0xf5) return 4;
    return 0;
}

bool is_allowed(std::uint32_t code, std::size_t length) {
    constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // less is overlong
    if (length == 1) return (code >= 0x20 && code != 0x7f) || code == '\n' || code == '\t';
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code >= kLeast[length] && code >= 0xa0 && code <= 0x10ffff && !is_surrogate &&
           code != 0xfffe && code != 0xffff;
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto first = static_cast<std::uint8_t>(text[at]);
    const std::size_t length = announced_length(first);
    if (length == 0 || at + length > text.size()) return 0;
    std::uint32_t code = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<std::uint8_t>(text[at + i]);
        if ((next & 0xc0) != 0x80) return 0;
        code = code << 6 | (next & 0x3fu);
    }
    return is_allowed(code, length) ? length : 0;
}

std::string PrintableText::add(char byte) {
    pending_ += byte;
    return take(false);
}

std::string PrintableText::finish() {
    return take(true);
}

std::string PrintableText::take(bool all) {
    std::string text;
    while (!pending_.empty()) {
        const std::size_t length = utf8_length(pending_, 0);
        const bool may_grow =
            pending_.size() < announced_length(static_cast<std::uint8_t>(pending_[0]));
        if (length == 0 && may_grow && !all) break;
        text += length > 0 ? pending_.substr(0, length) : kReplacementCharacter;
        pending_.erase(0, std::max<std::size_t>(length, 1));
    }
    return text;
}

}  // namespace xccl::trainer
