// Any bytes at all, taken for the encoded steps of a small world: what the decoder accepts has this
// very encoding; checking, printing and verifying it ends, with or without success; and what the
// verifier accepts runs to its end, in any order, on a machine that shares nothing with it.
//
// Input: contract, then in place (bit 0), slots - 1 (bits 1, 2), passes - 1 (bit 3) and rounding
// (bits 4, 5), then the root; then for each rank a length in two bytes and its steps.
#include <string_view>
#include <vector>

#include "fuzz_expect.h"
#include "schedule/check_steps.h"
#include "schedule/numbers.h"
#include "schedule/print.h"
#include "schedule/step_bytes.h"
#include "schedule/verify.h"
#include "schedule/verify_symmetric.h"

namespace {

using namespace xccl;

constexpr std::size_t kMaxFuzzedRanks = 8;
constexpr std::uint32_t kMaxFuzzedChunks = 64;  // memory is in proportion to ranks * chunks

VerifyOptions options_of(std::string_view head) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head[i]); };
    VerifyOptions options;
    options.contract = static_cast<Contract>(byte(0) % 9);
    options.in_place = (byte(1) & 1) != 0;
    options.read_in_place =
        options.in_place && options.contract == Contract::kAllReduce && (byte(1) >> 6 & 1) != 0;
    options.slot_count = 1 + (byte(1) >> 1 & 3u);
    options.passes = 1 + (byte(1) >> 3 & 1);
    options.rounding = static_cast<Rounding>((byte(1) >> 4 & 3) % 3);
    options.root = byte(2);
    return options;
}

std::vector<Steps> decode_all(std::string_view bytes) {
    std::vector<Steps> ranks;
    while (bytes.size() >= 2 && ranks.size() < kMaxFuzzedRanks) {
        const std::size_t length = static_cast<unsigned char>(bytes[0]) |
                                   static_cast<std::size_t>(static_cast<unsigned char>(bytes[1]))
                                       << 8;
        const std::string_view program = bytes.substr(2, length);
        Result<Steps> steps = steps_of_bytes(program);
        if (steps.ok()) {
            FUZZ_EXPECT(bytes_of_steps(steps.value()) == program);
            FUZZ_EXPECT(!print(steps.value()).empty());
            ranks.push_back(std::move(steps).value());
        } else {
            FUZZ_EXPECT(steps.status().code() == xcclInvalidArgument);
        }
        bytes.remove_prefix(std::min(bytes.size(), length + 2));
    }
    return ranks;
}

bool is_small(const std::vector<Steps>& ranks) {
    for (const Steps& steps : ranks) {
        if (steps.chunk_count > kMaxFuzzedChunks) return false;
        if (steps.scratch_chunk_count > kMaxFuzzedChunks) return false;
    }
    return !ranks.empty();
}

void expect_it_runs(const std::vector<Steps>& ranks, const VerifyOptions& options) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
        testing::Numbers numbers(ranks, options.contract, options.root, options.in_place,
                                 options.slot_count, seed);
        FUZZ_EXPECT(numbers.run().finished);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.size() < 3) return 0;
    const VerifyOptions options = options_of(bytes.substr(0, 3));
    const std::vector<Steps> ranks = decode_all(bytes.substr(3));
    if (!is_small(ranks)) return 0;
    for (const Steps& steps : ranks) {
        const Party party{options.contract, steps.rank, steps.rank_count, options.root,
                          steps.chunk_count};
        (void)check_steps(steps, party, options.in_place);
    }
    if (ranks[0].rank_count <= static_cast<int>(kMaxFuzzedChunks)) {
        (void)verify_rotation(ranks[0], options);
    }
    const bool proved = verify(ranks, options).ok();
    VerifyOptions chunk_by_chunk = options;
    chunk_by_chunk.window_values = 1;
    FUZZ_EXPECT(verify(ranks, chunk_by_chunk).ok() == proved);
    if (proved) expect_it_runs(ranks, options);
    return 0;
}
