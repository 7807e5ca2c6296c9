// Goal: the end of a process is seen at once, however much memory it has, and told apart from a
// departure in peace; the end of a thread is not the end of its process.
// Method: a process of its own that enrols in a segment and then ends in every way there is.
#include "transport/liveness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "rank_process.h"
#include "transport/geometry.h"
#include "transport/segment_handover.h"

namespace xccl {
namespace {

using std::chrono::milliseconds;

class Liveness : public testing::Test {
  protected:
    void SetUp() override {
        segment_ = Segment::create(*SegmentLayout::make(2, *choose_geometry(2))).value();
        Secret secret;
        secret.fill(1);
        handover_ = SegmentHandover::open(segment_, secret).value();
    }
    // A process that has enrolled as rank 1 of the segment.
    std::unique_ptr<RankProcess> start(const std::string& action,
                                       const std::string& megabytes = "0") {
        auto process = std::make_unique<RankProcess>(
            std::vector<std::string>{handover_->name(), "1", "2", "1", action, megabytes});
        EXPECT_TRUE(handover_->serve(1, Deadline::after_ms(20000)).ok());
        return process;
    }
    bool comes_to(RankState state) {
        return eventually([&] { return segment_->state_of(1) == state; });
    }

    std::shared_ptr<Segment> segment_;
    std::unique_ptr<SegmentHandover> handover_;
};

TEST_F(Liveness, KillIsSeenBeforeAGigabyteIsTornDown) {
    // The best of three, since this machine may be busy with other things.
    auto best = milliseconds::max();
    for (int attempt = 0; attempt < 3 && best >= milliseconds(10); ++attempt) {
        SetUp();
        auto process = start("wait", "1024");
        ASSERT_TRUE(comes_to(RankState::kPresent));
        const auto killed = Clock::now();
        kill(process->pid(), SIGKILL);
        ASSERT_TRUE(comes_to(RankState::kDied));
        best = std::min(best, std::chrono::ceil<milliseconds>(Clock::now() - killed));
    }
    EXPECT_LT(best, milliseconds(10));
}

TEST_F(Liveness, DepartureInPeaceIsNoDeath) {
    auto process = start("leave");
    EXPECT_EQ(process->wait(), 0);
    EXPECT_EQ(segment_->state_of(1), RankState::kLeft);
}

TEST_F(Liveness, ExitWithoutDepartureIsADeath) {
    auto process = start("exit");
    EXPECT_EQ(process->wait(), 0);
    EXPECT_EQ(segment_->state_of(1), RankState::kDied);
}

TEST_F(Liveness, AnotherProgramInItsPlaceIsADeath) {
    auto process = start("exec");
    EXPECT_TRUE(comes_to(RankState::kDied));
    EXPECT_FALSE(process->ended());
}

TEST_F(Liveness, TheEndOfAThreadIsNot) {
    std::thread([&] { EXPECT_TRUE(segment_->enrol(0).ok()); }).join();
    usleep(1000);
    EXPECT_EQ(segment_->state_of(0), RankState::kPresent);
}

TEST_F(Liveness, AChildOfForkHoldsNothingAndLetsNothingGo) {
    ASSERT_TRUE(segment_->enrol(0).ok());
    const pid_t child = fork();
    if (child == 0) {
        LifeWord word;
        const bool refused = !LifeKeeper::of_this_process().hold(&word).ok();
        segment_.reset();  // lets go of its life word, were it the parent
        _exit(refused ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(segment_->state_of(0), RankState::kPresent);
}

TEST(LifeKeeper, HoldsManyAndLetsGoInAnyOrder) {
    std::vector<std::unique_ptr<LifeWord>> words;
    LifeKeeper& keeper = LifeKeeper::of_this_process();
    for (int i = 0; i < 100; ++i) {
        words.push_back(std::make_unique<LifeWord>());
        ASSERT_TRUE(keeper.hold(words.back().get()).ok());
        EXPECT_NE(words.back()->word.load(), 0u);
    }
    for (int i = 0; i < 100; ++i) {
        const auto chosen = words.begin() + (i * 37) % static_cast<long>(words.size());
        keeper.let_go(chosen->get());
        EXPECT_EQ((*chosen)->word.load(), 0u);
        words.erase(chosen);
    }
}

TEST(LifeKeeper, SaysWhenTheKernelWouldNotFollow) {
    std::vector<std::unique_ptr<LifeWord>> words;
    LifeKeeper& keeper = LifeKeeper::of_this_process();
    Status status;
    while (status.ok() && words.size() <= LifeKeeper::kMaxWords) {
        words.push_back(std::make_unique<LifeWord>());
        status = keeper.hold(words.back().get());
    }
    EXPECT_EQ(status.code(), xcclSystemError);
    words.pop_back();
    for (auto& word : words) keeper.let_go(word.get());
}

}  // namespace
}  // namespace xccl
