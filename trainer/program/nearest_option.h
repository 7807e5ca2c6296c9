// Which option somebody who mistyped may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace xccl::trainer {

// The option that takes fewest insertions, deletions, substitutions and swaps of neighbours to
// type instead of `wanted`, or that `wanted` begins; empty if each is another word altogether.
std::string nearest_option(std::string_view wanted, std::span<const std::string> known);

}  // namespace xccl::trainer
