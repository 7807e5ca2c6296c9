// Any command line, environment and traffic matrix at all: the *_perf programs take it or refuse it
// with an exit code of theirs and one line, and what they take is within bounds.
//
// Input: lines. NAME=value goes to the environment, the rest are arguments; the whole text is a
// traffic matrix too.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "collectives/traffic.h"
#include "failure.h"
#include "fuzz_expect.h"
#include "options/environment.h"
#include "options/options.h"

namespace {

using namespace xccl::perf;

struct Input {
    std::vector<std::string_view> arguments;
    std::vector<std::string_view> environment;
};

Input split(std::string_view text) {
    Input input;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const bool is_setting = line.find("_TESTS_") == 4;
        (is_setting ? input.environment : input.arguments).push_back(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return input;
}

void expect_refusal(const Failure& failure) {
    FUZZ_EXPECT(failure.code() == ExitCode::kInvalidUsage || failure.code() == ExitCode::kBadSize);
    const std::string_view text = failure.what();
    FUZZ_EXPECT(!text.empty() && text.find('\n') == std::string_view::npos);
}

void expect_bounds(const Options& o) {
    FUZZ_EXPECT(o.threads >= 1 && o.ranks_per_thread >= 1);
    FUZZ_EXPECT(o.iterations >= 1 && o.aggregated >= 1 && o.warmup >= 0 && o.checks >= 0);
    FUZZ_EXPECT(!o.types.empty() && !o.operators.empty());
    if (o.help) return;
    FUZZ_EXPECT(o.sizes.first_bytes <= o.sizes.last_bytes && o.sizes.count() >= 1);
    FUZZ_EXPECT(o.skipped_iterations < o.iterations);
    // The first steps of the sweep go upwards and stay within it.
    std::size_t size = o.sizes.first_bytes;
    for (int step = 0; step < 100; ++step) {
        const auto next = o.sizes.after(size);
        if (!next) return;
        FUZZ_EXPECT(*next > size && *next <= o.sizes.last_bytes);
        size = *next;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Input input = split(text);
    try {
        expect_bounds(parse_options(input.arguments).options);
    } catch (const Failure& failure) {
        expect_refusal(failure);
    }
    try {
        const EnvironmentSettings settings = parse_environment(input.environment);
        FUZZ_EXPECT(settings.spread >= 0 && settings.spread <= 1);
        if (settings.split) FUZZ_EXPECT(settings.split->color(1023) >= 0);
    } catch (const Failure& failure) {
        expect_refusal(failure);
    }
    try {
        const auto cells = parse_matrix(text, 2);
        const Traffic traffic = matrix_traffic(cells, 2, 1.5, 4);
        FUZZ_EXPECT(traffic.busiest() >= traffic.count(0, 1));
    } catch (const Failure& failure) {
        expect_refusal(failure);
    }
    return 0;
}
