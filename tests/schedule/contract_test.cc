// Goal: the table of contracts is what the header says, both ways. Method: every contract, rank and
// root of a small world, against the table written out.
#include "schedule/contract.h"

#include <gtest/gtest.h>

#include <set>

namespace xccl {
namespace {

constexpr Contract kAll[] = {Contract::kAllReduce, Contract::kReduce,        Contract::kBroadcast,
                             Contract::kAllGather, Contract::kReduceScatter, Contract::kAllToAll,
                             Contract::kGather,    Contract::kScatter,       Contract::kBarrier};
constexpr int kRanks = 3;

Party party(Contract contract, int rank, int root) {
    return {contract, rank, kRanks, root, kRanks};
}

TEST(Contract, BuffersAreAsTheTableSays) {
    for (int root = 0; root < kRanks; ++root) {
        for (int rank = 0; rank < kRanks; ++rank) {
            const std::uint32_t on_root = rank == root ? kRanks : 0;
            const auto counts = [&](Contract contract) {
                return std::make_pair(input_chunk_count(party(contract, rank, root)),
                                      output_chunk_count(party(contract, rank, root)));
            };
            using Counts = std::pair<std::uint32_t, std::uint32_t>;
            EXPECT_EQ(counts(Contract::kAllReduce), Counts(kRanks, kRanks));
            EXPECT_EQ(counts(Contract::kReduce), Counts(kRanks, on_root));
            EXPECT_EQ(counts(Contract::kBroadcast), Counts(on_root, kRanks));
            EXPECT_EQ(counts(Contract::kAllGather), Counts(1, kRanks));
            EXPECT_EQ(counts(Contract::kReduceScatter), Counts(kRanks, 1));
            EXPECT_EQ(counts(Contract::kAllToAll), Counts(kRanks, kRanks));
            EXPECT_EQ(counts(Contract::kGather), Counts(1, on_root));
            EXPECT_EQ(counts(Contract::kScatter), Counts(on_root, 1));
            EXPECT_EQ(counts(Contract::kBarrier), Counts(kRanks, kRanks));
        }
    }
}

// Going from a work chunk to a buffer's chunk and back is the way one came.
TEST(Contract, WorkChunksAndBuffersAgree) {
    for (Contract contract : kAll) {
        if (contract == Contract::kAllToAll) continue;  // has no work chunks
        for (int rank = 0; rank < kRanks; ++rank) {
            const Party here = party(contract, rank, 1);
            std::uint32_t inputs = 0, outputs = 0;
            for (std::uint32_t chunk = 0; chunk < kRanks; ++chunk) {
                if (const auto in = input_of(here, chunk)) {
                    EXPECT_EQ(work_of_input(here, *in), chunk) << contract_name(contract);
                    EXPECT_EQ(length_class(here, Space::kInput, *in), chunk);
                    ++inputs;
                }
                if (const auto out = output_of(here, chunk)) {
                    EXPECT_EQ(work_of_output(here, *out), chunk) << contract_name(contract);
                    EXPECT_EQ(length_class(here, Space::kOutput, *out), chunk);
                    ++outputs;
                }
            }
            EXPECT_EQ(inputs, input_chunk_count(here)) << contract_name(contract);
            EXPECT_EQ(outputs, output_chunk_count(here)) << contract_name(contract);
        }
    }
}

// all_to_allv: what i sends to j is as long as what j receives from i, and as nothing else.
TEST(Contract, AllToAllHasALengthForEachPair) {
    std::set<std::uint64_t> classes;
    for (int i = 0; i < kRanks; ++i) {
        for (int j = 0; j < kRanks; ++j) {
            const auto sent = length_class(party(Contract::kAllToAll, i, 0), Space::kInput,
                                           static_cast<std::uint32_t>(j));
            const auto received = length_class(party(Contract::kAllToAll, j, 0), Space::kOutput,
                                               static_cast<std::uint32_t>(i));
            EXPECT_EQ(sent, received);
            EXPECT_TRUE(classes.insert(sent).second);
        }
    }
    EXPECT_FALSE(input_of(party(Contract::kAllToAll, 0, 0), 0).has_value());
    EXPECT_FALSE(output_of(party(Contract::kAllToAll, 0, 0), 0).has_value());
}

TEST(Contract, NamesAndKinds) {
    std::set<std::string> names;
    int rooted = 0, combining = 0;
    for (Contract contract : kAll) {
        EXPECT_TRUE(names.insert(contract_name(contract)).second);
        rooted += is_rooted(contract);
        combining += is_combining(contract);
    }
    EXPECT_EQ(rooted, 4);
    EXPECT_EQ(combining, 4);
    EXPECT_STREQ(contract_name(static_cast<Contract>(200)), "unknown");
}

}  // namespace
}  // namespace xccl
