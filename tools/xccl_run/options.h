// What the command line of xccl-run asks for.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace xccl::run {

struct Options {
    int ranks = 0;
    bool prefix = false;
    bool bind = false;
    double timeout_s = 0;  // 0: none
    double grace_s = 5;
    std::vector<std::string> command;  // program and arguments; empty: only `text` is wanted
    std::string text;                  // of --help or --version
};

// `arguments` without the program's own name.
//   invalid_argument  what is wrong, and for unknown options the nearest known one
Result<Options> parse_options(std::vector<std::string> arguments);

}  // namespace xccl::run
