// Goal: taken sources change when lines are fetched and no bit of any result.
// Method: random bytes, the same operands taken and not, for every datatype, operator, instruction
// set and number of sources, around the ends of strips and blocks, with guard bytes behind and
// before.
#include "device/taken.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/datatypes.h"
#include "device/kernels.h"
#include "device/reduce_table.h"
#include "device/streamed.h"

namespace xccl {
namespace {

constexpr std::size_t kTakenMargin = 128;
constexpr std::size_t kTakenSizes[] = {0, 1, 7, 31, 32, 33, 191, 192, 193, 256, 1023, 3000};

std::vector<std::byte> taken_noise(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

struct TakenShape {
    xcclDataType_t type;
    ReduceKind kind;
    std::size_t source_count;
    std::size_t destination_count;
    std::size_t count;
    bool first_too;  // else all but the first source are taken
    bool wide;       // the last source
};

// Both destinations, one behind the other.
std::vector<std::byte> result_of(const TakenShape& shape, bool taken, bool streamed) {
    const std::size_t room =
        shape.count * element_bytes(accumulate_type(shape.type)) + 2 * kTakenMargin;
    std::vector<std::vector<std::byte>> memory;
    std::vector<ReduceSource> sources;
    memory.reserve(shape.source_count);
    sources.reserve(shape.source_count);
    for (std::size_t s = 0; s < shape.source_count; ++s) {
        memory.push_back(taken_noise(room, static_cast<unsigned>(s)));
        sources.push_back({.data = memory.back().data() + 5 * s,
                           .wide = shape.wide && s + 1 == shape.source_count,
                           .scaled = false,
                           .taken = taken && (s > 0 || shape.first_too)});
    }
    std::vector<std::byte> to = taken_noise(2 * room, 99);
    std::vector<ReduceDestination> destinations = {{to.data() + kTakenMargin, false},
                                                   {to.data() + room + kTakenMargin, false}};
    destinations.resize(shape.destination_count);
    const Reduction reduction{shape.type,   shape.kind,  sources,
                              destinations, shape.count, Scale{1, 1}};
    streamed ? reduce_streamed(reduction) : reduce(reduction);
    return to;
}

class TakenSources : public ::testing::TestWithParam<const ReduceTable*> {
  protected:
    void SetUp() override { use_instruction_set(GetParam()->name); }
    void TearDown() override { use_instruction_set(usable_reduce_tables().front()->name); }
};

TEST_P(TakenSources, GiveTheSameBits) {
    for (int type = 0; type < xcclNumTypes; ++type) {
        for (int kind = 0; kind < kReduceKindCount; ++kind) {
            for (const std::size_t source_count : {1, 2, 3, 4, 5}) {
                for (const std::size_t count : kTakenSizes) {
                    const std::size_t variant = source_count + count;
                    const TakenShape shape = {static_cast<xcclDataType_t>(type),
                                              static_cast<ReduceKind>(kind),
                                              source_count,
                                              1 + variant % 2,
                                              count,
                                              variant % 3 == 0,
                                              variant % 5 == 0};
                    for (const bool streamed : {false, true}) {
                        ASSERT_EQ(result_of(shape, true, streamed),
                                  result_of(shape, false, streamed))
                            << "type " << type << ", operator " << kind << ", " << source_count
                            << " sources of " << count << ", streamed " << streamed;
                    }
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, TakenSources,
                         ::testing::ValuesIn(usable_reduce_tables().begin(),
                                             usable_reduce_tables().end()),
                         [](const auto& table) { return std::string(table.param->name); });

TEST(CopyTaken, CopiesAllAndNothingElse) {
    for (const std::size_t bytes : kTakenSizes) {
        for (const std::size_t misalignment : {0, 1, 16, 63}) {
            const std::vector<std::byte> from = taken_noise(bytes + 64, 1);
            for (const bool streamed : {false, true}) {
                std::vector<std::byte> to = taken_noise(bytes + 2 * kTakenMargin, 2);
                std::vector<std::byte> expected = to;
                std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(misalignment), bytes,
                            expected.begin() + kTakenMargin);
                if (streamed) {
                    copy_bytes_taken_streamed(to.data() + kTakenMargin, from.data() + misalignment,
                                              bytes);
                } else {
                    copy_bytes_taken(to.data() + kTakenMargin, from.data() + misalignment, bytes);
                }
                ASSERT_EQ(to, expected) << bytes << " bytes at " << misalignment;
            }
        }
    }
}

}  // namespace
}  // namespace xccl
