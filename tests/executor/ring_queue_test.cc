// Goal: first in, first out, across growth and wrap-around. Method: against std::deque.
#include "executor/ring_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace xccl {
namespace {

TEST(RingQueue, BehavesAsADeque) {
    RingQueue<int> queue;
    std::deque<int> model;
    std::mt19937 random(3);
    for (int i = 0; i < 10000; ++i) {
        if (random() % 100 < 52) {
            queue.push() = i;
            model.push_back(i);
        } else if (!model.empty()) {
            queue.pop();
            model.pop_front();
        }
        ASSERT_EQ(queue.size(), model.size());
        if (!model.empty()) {
            ASSERT_EQ(queue.front(), model.front());
        }
    }
    queue.clear();
    EXPECT_TRUE(queue.empty());
}

TEST(RingQueue, OneElementAtATimeStaysInOneSlot) {
    RingQueue<int> queue;
    const int* slot = &queue.push();
    for (int i = 0; i < 10; ++i) {
        queue.pop();
        EXPECT_EQ(&queue.push(), slot);
    }
}

}  // namespace
}  // namespace xccl
