// Goal: a wait ends by its event, its deadline or the abort word, and says which it was.
#include "trust/wait.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/owned_descriptor.h"

namespace xccl {
namespace {

class Wait : public testing::Test {
  protected:
    void SetUp() override {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        read_.reset(ends[0]);
        write_.reset(ends[1]);
    }
    OwnedDescriptor read_, write_;
    std::atomic<bool> abort_{false};
};

TEST_F(Wait, EndsByItsEvent) {
    std::thread writer([&] { EXPECT_EQ(write(write_.get(), "x", 1), 1); });
    EXPECT_TRUE(wait_for(read_.get(), POLLIN, Deadline::never(), &abort_).ok());
    writer.join();
}

TEST_F(Wait, TellsWhetherThereIsSomethingNow) {
    EXPECT_FALSE(is_readable(read_.get()));
    EXPECT_EQ(write(write_.get(), "x", 1), 1);
    EXPECT_TRUE(is_readable(read_.get()));
}

TEST_F(Wait, EndsByAHangUp) {
    write_.reset();
    EXPECT_TRUE(wait_for(read_.get(), POLLIN, Deadline::never(), nullptr).ok());
}

TEST_F(Wait, EndsByItsDeadline) {
    EXPECT_EQ(wait_for(read_.get(), POLLIN, Deadline::after_ms(1), nullptr).code(), xcclTimeout);
    EXPECT_EQ(wait_for(read_.get(), POLLIN, Deadline::after_ms(-5), &abort_).code(), xcclTimeout);
}

TEST_F(Wait, EndsByTheAbortWord) {
    std::thread aborter([&] { abort_.store(true); });
    EXPECT_EQ(wait_for(read_.get(), POLLIN, Deadline::never(), &abort_).code(), xcclInvalidUsage);
    aborter.join();
    EXPECT_FALSE(pause_for(60000, Deadline::never(), &abort_));
}

TEST_F(Wait, APauseEndsByItselfOrByTheDeadline) {
    EXPECT_TRUE(pause_for(1, Deadline::never(), nullptr));
    EXPECT_FALSE(pause_for(60000, Deadline::after_ms(1), &abort_));
}

}  // namespace
}  // namespace xccl
