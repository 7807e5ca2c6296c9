// Goal: who starts first measures and keeps, everybody later reads, and nothing that goes wrong on
// the way is a failure. Method: a folder of the test's own, and measuring that counts.
#include "machine/machine_costs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace xccl {
namespace {

namespace fs = std::filesystem;

class MachineCostsTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "xccl-machine-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        home_ = name;
    }
    void TearDown() override { fs::remove_all(home_); }
    CostFile file() const { return {home_ + "/cache/xccl", "a machine"}; }
    MachineCosts find() {
        return find_costs(file(), [this] {
            ++measured_;
            MeasuredCosts costs = built_in_costs();
            costs.latency_us *= 2;
            return costs;
        });
    }

    std::string home_;
    std::atomic<int> measured_{0};
};

TEST_F(MachineCostsTest, TheFirstMeasuresTheOthersRead) {
    const MachineCosts first = find();
    EXPECT_EQ(first.origin, CostOrigin::kMeasured);
    EXPECT_NE(first.note.find(file().path()), std::string::npos) << first.note;
    for (int later = 0; later < 3; ++later) {
        const MachineCosts costs = find();
        EXPECT_EQ(costs.origin, CostOrigin::kRead);
        EXPECT_EQ(costs.measured, first.measured);
    }
    EXPECT_EQ(measured_, 1);
}

TEST_F(MachineCostsTest, WhoFindsAnotherMeasuringGoesOnWithWhatIsBuiltIn) {
    const auto lock = file().lock();
    ASSERT_TRUE(lock.ok() && *lock);
    const MachineCosts costs = find();
    EXPECT_EQ(costs.origin, CostOrigin::kBuiltIn);
    EXPECT_EQ(costs.measured, built_in_costs());
    EXPECT_TRUE(costs.may_change);
    EXPECT_EQ(measured_, 0);
}

TEST_F(MachineCostsTest, ABrokenFileIsWrittenAnew) {
    find();
    for (const char* text : {"", "{", "{\"format\": 0}"}) {
        std::ofstream(file().path()) << text;
        const MachineCosts costs = find();
        EXPECT_EQ(costs.origin, CostOrigin::kMeasured) << text;
        EXPECT_NE(costs.note.find("written anew"), std::string::npos) << costs.note;
        EXPECT_EQ(find().origin, CostOrigin::kRead);
    }
}

TEST_F(MachineCostsTest, WhereNothingCanBeKeptNothingIsMeasured) {
    std::ofstream(home_ + "/cache") << "a file in the way";
    const MachineCosts costs = find();
    EXPECT_EQ(costs.origin, CostOrigin::kBuiltIn);
    EXPECT_EQ(costs.measured, built_in_costs());
    EXPECT_FALSE(costs.may_change);
    EXPECT_FALSE(costs.note.empty());
    EXPECT_EQ(measured_, 0);
}

TEST_F(MachineCostsTest, OneOfManyMeasures) {
    std::vector<std::thread> starters;
    starters.reserve(16);
    std::atomic<int> own{0};
    for (int i = 0; i < 16; ++i) {
        starters.emplace_back([&] { own += is_of_machine(find().origin); });
    }
    for (std::thread& starter : starters) starter.join();
    EXPECT_EQ(measured_, 1);
    EXPECT_GE(own, 1);
}

TEST(MachineCosts, OriginsHaveNames) {
    for (const CostOrigin origin :
         {CostOrigin::kOff, CostOrigin::kBuiltIn, CostOrigin::kMeasured, CostOrigin::kRead}) {
        EXPECT_NE(origin_name(origin), nullptr);
    }
    EXPECT_FALSE(is_of_machine(CostOrigin::kOff));
    EXPECT_FALSE(is_of_machine(CostOrigin::kBuiltIn));
}

}  // namespace
}  // namespace xccl
