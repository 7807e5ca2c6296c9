// Which known name somebody who mistyped may have meant.
#pragma once

#include <span>
#include <string_view>

namespace xccl {

// The known name that is fewest insertions, deletions and substitutions away; empty if even that
// takes more than three: then it is another word.
std::string_view nearest_name(std::string_view wanted, std::span<const std::string_view> known);

}  // namespace xccl
