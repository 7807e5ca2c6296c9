// The options as a table: names, help, and what each does with its argument.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "options/options.h"

namespace xccl::perf {

// The argument of one option, with the readers that refuse what it cannot be.
struct OptionArgument {
    std::string_view option;  // as typed: "-n" or "--iters"
    std::string_view text;
    ParsedOptions* parsed;  // for notes and warnings

    int number(int least, int most) const;
    bool flag() const { return number(0, 1) == 1; }
    // `what` is the name in the message: "minbytes".
    std::size_t size(std::string_view what) const;
};

struct OptionRow {
    char letter;  // 0: has only a long name
    std::string_view name;
    std::string_view argument;  // as help shows it; empty: takes none
    std::string_view help;
    void (*apply)(Options& options, const OptionArgument& argument);
};

std::span<const OptionRow> option_table();

}  // namespace xccl::perf
