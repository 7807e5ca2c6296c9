// A job whose ranks meet at a rendezvous of this process; nothing may be left behind.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bootstrap/bootstrap.h"
#include "bootstrap/root.h"
#include "bootstrap/unique_id.h"
#include "ranks.h"

namespace xccl {

using Ids = std::vector<xcclUniqueId>;

inline std::string word_of(int rank) {
    return "word " + std::to_string(rank) + std::string(static_cast<std::size_t>(rank % 5), '.');
}

// Joins, exchanges a few times, and leaves.
inline Status take_part(const Ids& ids, int rank, int rank_count, Deadline deadline = soon()) {
    XCCL_ASSIGN(auto exchange, join(ids, rank, rank_count, deadline, nullptr));
    for (int round = 0; round < 3; ++round) {
        XCCL_ASSIGN(const auto words, exchange->all_gather(word_of(rank + round), deadline));
        for (int other = 0; other < rank_count; ++other) {
            if (words[static_cast<std::size_t>(other)] == word_of(other + round)) continue;
            return internal_error("'{}' is not the word of rank {}",
                                  words[static_cast<std::size_t>(other)], other);
        }
    }
    return ok_status();
}

inline void expect_all_meet(const Ids& ids, int rank_count) {
    const auto results =
        in_threads(rank_count, [&](int rank) { return take_part(ids, rank, rank_count); });
    for (const Status& result : results) EXPECT_TRUE(result.ok()) << result.text();
}

class Job : public testing::Test {
  protected:
    void TearDown() override {
        ids_.clear();
        EXPECT_TRUE(eventually([] { return live_root_count() == 0; }));
        EXPECT_EQ(open_descriptors(), descriptors_);
    }
    const Ids& new_ids(int count = 1) {
        ids_.clear();
        for (int i = 0; i < count; ++i) ids_.push_back(create_root().value());
        return ids_;
    }
    Rendezvous rendezvous() const { return unpack_id(ids_[0]).value(); }
    // Starts the ranks from 1 on, runs `meanwhile`, then rank 0: all must be well.
    void expect_all_meet_in_spite_of(const std::function<void()>& meanwhile, int rank_count = 4) {
        new_ids();
        std::vector<Status> results;
        std::thread others([&] {
            results = in_threads(rank_count - 1,
                                 [&](int i) { return take_part(ids_, i + 1, rank_count); });
        });
        meanwhile();
        const Status mine = take_part(ids_, 0, rank_count);
        others.join();
        EXPECT_TRUE(mine.ok()) << mine.text();
        for (const Status& result : results) EXPECT_TRUE(result.ok()) << result.text();
    }
    OwnedDescriptor stranger() const {
        const SocketAddress address = rendezvous().addresses[0];
        OwnedDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(connect(socket.get(), address.get(), address.length), 0);
        return socket;
    }

    Ids ids_;

  private:
    const std::size_t descriptors_ = open_descriptors();
};

}  // namespace xccl
