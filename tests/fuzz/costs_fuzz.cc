// Whatever lies where a machine's costs are kept: it is refused with a sentence, or it is
// believable and survives being written again.
//
// Input: the text of the file.
#include <string_view>

#include "fuzz_expect.h"
#include "machine/cost_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace xccl;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    constexpr std::string_view kMachine = "a machine";
    const Result<MeasuredCosts> costs = parse_cost_text(text, kMachine);
    if (!costs.ok()) {
        FUZZ_EXPECT(!costs.status().text().empty());
        return 0;
    }
    FUZZ_EXPECT(believable(costs.value()) == costs.value());
    const Result<MeasuredCosts> again =
        parse_cost_text(cost_text(costs.value(), kMachine), kMachine);
    FUZZ_EXPECT(again.ok() && again.value() == costs.value());
    return 0;
}
