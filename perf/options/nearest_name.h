// Which known name somebody who mistyped may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace xccl::perf {

// The known name that is fewest insertions, deletions and substitutions away; empty if even that
// takes more than three, or as many as the name has letters.
std::string_view nearest_name(std::string_view wanted, std::span<const std::string_view> known);

// "; did you mean '--minbytes'?", or nothing where nothing is near.
std::string suggestion(std::string_view wanted, std::span<const std::string_view> known);

}  // namespace xccl::perf
