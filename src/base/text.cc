#include "base/text.h"

#include <algorithm>

namespace xccl {

std::string printable(std::string_view text) {
    constexpr std::size_t kShown = 60;
    std::string result(text.substr(0, kShown));
    std::replace_if(
        result.begin(), result.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
    return text.size() > kShown ? result + "..." : result;
}

}  // namespace xccl
