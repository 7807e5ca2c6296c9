// Goal: the simulator tells a broken engine from a sound one, covers what it claims to cover, and
// does the same thing twice.
// Method: the engine, compiled with known bugs that can be switched on one at a time.
#include <gtest/gtest.h>

#include <array>

#include "executor/mutant.h"
#include "simulator/world.h"

namespace xccl::simulator {
namespace {

// Seeds that a bug may survive before it is caught; a sound engine passes all of them.
constexpr std::uint64_t kSeeds = 25;

class WithMutant {
  public:
    explicit WithMutant(Mutant mutant) { active_mutant = mutant; }
    ~WithMutant() { active_mutant = Mutant::kNone; }
};

// The first of the seeds that fails; 0 if none does.
std::uint64_t first_failure(std::string* complaint) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const Scenario scenario = make_scenario(seed);
        const Report report = World(&scenario, false).run();
        if (report.ok()) continue;
        *complaint = report.complaints.front();
        return seed;
    }
    return 0;
}

void expect_caught(Mutant mutant) {
    const WithMutant with(mutant);
    std::string complaint;
    const std::uint64_t seed = first_failure(&complaint);
    EXPECT_NE(seed, 0u) << "no seed up to " << kSeeds << " notices";
    if (seed != 0) std::printf("seed %d: %s\n", static_cast<int>(seed), complaint.c_str());
}

TEST(Simulator, PassesASoundEngine) {
    std::string complaint;
    EXPECT_EQ(first_failure(&complaint), 0u) << complaint;
}
TEST(Simulator, CatchesIgnoredCredit) {
    expect_caught(Mutant::kIgnoredCredit);
}
TEST(Simulator, CatchesEarlyReuse) {
    expect_caught(Mutant::kEarlyReuse);
}
TEST(Simulator, CatchesALostWakeUp) {
    expect_caught(Mutant::kLostWakeUp);
}
TEST(Simulator, CatchesAStaleEpoch) {
    expect_caught(Mutant::kStaleEpoch);
}
TEST(Simulator, CatchesASkippedAbort) {
    expect_caught(Mutant::kSkippedAbort);
}

// Carried messages of 4 KiB and more are sent from the callers' buffers.
TEST(Simulator, ReadsSomeMessagesWhereTheyLie) {
    std::uint64_t references = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const Scenario scenario = make_scenario(seed);
        references += World(&scenario, false).run().reference_count;
    }
    EXPECT_GE(references, 50u);
}

// And written into them, where that is all that the reader would do with them.
TEST(Simulator, WritesSomeMessagesWhereTheyAreWanted) {
    std::uint64_t placed = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const Scenario scenario = make_scenario(seed);
        placed += World(&scenario, false).run().placed_count;
    }
    EXPECT_GE(placed, 20u);
}

TEST(Simulator, DoesTheSameTwice) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const Scenario first = make_scenario(seed);
        const Scenario second = make_scenario(seed);
        const Scenario other = make_scenario(seed + 1000);
        const Report report = World(&first, false).run();
        const Report again = World(&second, false).run();
        EXPECT_EQ(report.event_hash, again.event_hash);
        EXPECT_EQ(report.event_count, again.event_count);
        EXPECT_NE(report.event_hash, World(&other, false).run().event_hash);
    }
}

TEST(Scenario, AThousandCoverWhatTheyShould) {
    int medium = 0, large = 0, wrapping = 0, lives = 0;
    std::array<int, kFaultKindCount> faults{};
    std::array<int, xcclNumColls> collectives{};
    std::array<int, xcclNumTypes> types{};
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        const Scenario scenario = make_scenario(seed);
        medium += scenario.rank_count() >= 8 && scenario.rank_count() <= 64;
        large += scenario.rank_count() == 1024;
        wrapping += scenario.start != 0;
        lives += static_cast<int>(scenario.lives.size());
        for (const Life& life : scenario.lives) {
            for (const Fault& fault : life.faults) ++faults[static_cast<int>(fault.kind)];
            for (const Operation& operation : life.operations) {
                ++collectives[operation.coll];
                ++types[operation.type];
            }
        }
    }
    EXPECT_GE(medium, 300);
    EXPECT_GE(large, 20);
    EXPECT_GE(wrapping, 300);
    EXPECT_GE(lives, 1500);
    for (int kind = 1; kind < kFaultKindCount; ++kind) EXPECT_GE(faults[kind], 50) << kind;
    for (const int count : collectives) EXPECT_GE(count, 100);
    for (const int count : types) EXPECT_GE(count, 100);
}

}  // namespace
}  // namespace xccl::simulator
