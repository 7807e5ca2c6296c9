// Any command line at all: xccl-run's parser takes it or says what is wrong, and what it takes for
// the program's is the end of the command line, untouched.
//
// Input: the arguments, one a line.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "fuzz_expect.h"
#include "xccl_run/options.h"

namespace {

using namespace xccl::run;

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        lines.emplace_back(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return lines;
}

bool ends_with(const std::vector<std::string>& all, const std::vector<std::string>& end) {
    return end.size() <= all.size() && std::equal(end.rbegin(), end.rend(), all.rbegin());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto arguments = lines_of(std::string_view(reinterpret_cast<const char*>(data), size));
    const auto options = parse_options(arguments);
    if (!options.ok()) {
        FUZZ_EXPECT(options.status().code() == xcclInvalidArgument);
        FUZZ_EXPECT(!options.status().text().empty());
        return 0;
    }
    FUZZ_EXPECT(options->command.empty() == !options->text.empty());
    if (options->command.empty()) return 0;
    FUZZ_EXPECT(ends_with(arguments, options->command));
    FUZZ_EXPECT(!options->command.front().empty());
    FUZZ_EXPECT(options->ranks >= 1 && options->ranks <= xccl::kMaxLocalRanks);
    FUZZ_EXPECT(options->timeout_s >= 0 && options->timeout_s < 1e9);
    FUZZ_EXPECT(options->grace_s >= 0 && options->grace_s < 1e9);
    return 0;
}
