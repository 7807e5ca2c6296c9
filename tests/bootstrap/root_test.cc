// Goal: a rendezvous is there as long as it is needed and no longer, whatever its process does: it
// forks, it exits, it is told to stop.
// Method: the process's own threads and descriptors, children that exit in the midst of a meeting.
#include "bootstrap/root.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#include "job.h"

namespace xccl {
namespace {

class Root : public Job {};

std::set<std::string> threads() {
    std::set<std::string> ids;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        ids.insert(entry.path().filename());
    }
    return ids;
}

std::string field(const std::string& thread, const std::string& name) {
    std::ifstream status("/proc/self/task/" + thread + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(name, 0) == 0) return line.substr(name.size());
    }
    return {};
}

// A thread that is still starting may hold a lock of a sanitizer, which a child of fork() would
// find taken for ever.
bool all_others_sleep() {
    const std::string self = std::to_string(gettid());
    const auto all = threads();
    return std::all_of(all.begin(), all.end(), [&](const std::string& thread) {
        return thread == self || field(thread, "State:").find('S') != std::string::npos;
    });
}

TEST_F(Root, ItsThreadTakesNoSignals) {
    std::thread([] {}).join();  // with the first one, a sanitizer starts its own
    const auto before = threads();
    new_ids();
    int found = 0;
    for (const std::string& thread : threads()) {
        if (before.count(thread)) continue;
        ++found;
        // All but KILL and STOP, which cannot be blocked, and the two that the C library keeps.
        const std::uint64_t blocked = std::stoull(field(thread, "SigBlk:"), nullptr, 16);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGPIPE}) {
            EXPECT_TRUE(blocked >> (signal - 1) & 1) << signal;
        }
    }
    EXPECT_EQ(found, 1);
    end_root(ids_[0]);
}

TEST_F(Root, EndsWhenTold) {
    new_ids(3);
    EXPECT_EQ(live_root_count(), 3);
    end_root(ids_[1]);
    EXPECT_TRUE(eventually([] { return live_root_count() == 2; }));
    end_root(ids_[1]);  // once more does nothing
    for (const xcclUniqueId& id : ids_) end_root(id);
}

TEST_F(Root, RanksAreToldWhenItEnds) {
    new_ids();
    auto exchange = join(ids_, 0, 2, soon(), nullptr).value();
    end_root(ids_[0]);
    const Status status = exchange->all_gather("", soon()).status();
    EXPECT_EQ(status.code(), xcclRemoteError);
    EXPECT_TRUE(mentions(status, "has ended")) << status.text();
}

TEST_F(Root, AChildHasNeitherItsThreadNorItsDescriptors) {
    const std::size_t before = open_descriptors();
    new_ids(2);
    const Ids used = {ids_[0]};
    auto exchange = join(used, 0, 2, soon(), nullptr).value();
    ChildProcess child([&] {
        if (live_root_count() != 0 || threads().size() != 1) return 1;
        return open_descriptors() == before + 1 ? 0 : 2;  // the exchange's own
    });
    EXPECT_EQ(child.wait(), 0);
    std::thread other([&] { EXPECT_TRUE(take_part(used, 1, 2).ok()); });
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(exchange->all_gather(word_of(i), soon()).ok());
    other.join();
    end_root(ids_[1]);
}

TEST_F(Root, AChildMayMakeItsOwn) {
    new_ids();
    ASSERT_TRUE(eventually(all_others_sleep));
    ChildProcess child([&] {
        const Ids own = {create_root().value()};
        const auto results = in_threads(2, [&](int rank) { return take_part(own, rank, 2); });
        return results[0].ok() && results[1].ok() ? 0 : 1;
    });
    EXPECT_EQ(child.wait(), 0);
    end_root(ids_[0]);
}

TEST_F(Root, ItsProcessMayExitAtAnyTime) {
    ChildProcess idle([&]() -> int {
        create_root().value();
        exit(7);
    });
    EXPECT_EQ(idle.wait(), 7);
}

// The process of the root leaves main() as soon as it has what it came for; what the others still
// wait for must reach them.
TEST_F(Root, WhatIsOnItsWayArrivesWhenTheProcessExits) {
    constexpr int kRanks = 6;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const OwnedDescriptor from_root(ends[0]);
    OwnedDescriptor to_us(ends[1]);
    const std::string much(kMaxGatherBytes, 'm');
    ChildProcess maker([&]() -> int {
        const xcclUniqueId id = create_root().value();
        if (write(to_us.get(), &id, sizeof id) != sizeof id) return 1;
        auto exchange = join({&id, 1}, 0, kRanks, soon(), nullptr);
        const bool well = (*exchange)->all_gather(much, soon()).ok();
        exchange->reset();
        exit(well ? 0 : 1);
    });
    to_us.reset();
    ids_.resize(1);
    ASSERT_EQ(read(from_root.get(), ids_.data(), sizeof ids_[0]), ssize_t{sizeof ids_[0]});
    const auto results = in_threads(kRanks - 1, [&](int i) {
        auto exchange = join(ids_, i + 1, kRanks, soon(), nullptr);
        XCCL_TRY(exchange);
        return (*exchange)->all_gather(much, soon()).status();
    });
    for (const Status& result : results) EXPECT_TRUE(result.ok()) << result.text();
    EXPECT_EQ(maker.wait(), 0);
}

TEST_F(Root, APortInUseSaysSo) {
    const auto first = create_root_at("127.0.0.1:0", make_secret());
    ASSERT_TRUE(first.ok());
    const std::string endpoint = endpoint_text(unpack_id(*first)->addresses[0]);
    const Status second = create_root_at(endpoint, make_secret()).status();
    EXPECT_EQ(second.code(), xcclSystemError);
    EXPECT_TRUE(mentions(second, endpoint) && mentions(second, "in use")) << second.text();
    end_root(*first);
}

TEST_F(Root, AnAddressThatIsNotOursSaysSo) {
    const Status status = create_root_at("203.0.113.77:4711", make_secret()).status();
    EXPECT_EQ(status.code(), xcclSystemError);
    EXPECT_TRUE(mentions(status, "no address of this host")) << status.text();
}

TEST_F(Root, EndpointsMayHaveNames) {
    const Secret secret = make_secret();
    const auto id = create_root_at("localhost:0", secret);
    ASSERT_TRUE(id.ok()) << id.status().text();
    expect_all_meet({*id}, 2);
    for (const char* wrong : {"", "localhost", "localhost:", "localhost:x", ":7",
                              "no-such-host.invalid:7", "localhost:70000"}) {
        EXPECT_EQ(create_root_at(wrong, secret).status().code(), xcclInvalidArgument) << wrong;
    }
    EXPECT_EQ(id_of_root_at("localhost:0", secret).status().code(), xcclInvalidArgument);
}

TEST_F(Root, BothSidesMakeTheSameId) {
    const Secret secret = make_secret();
    const auto root = create_root_at("127.0.0.1:0", secret);
    ASSERT_TRUE(root.ok());
    const auto other = id_of_root_at(endpoint_text(unpack_id(*root)->addresses[0]), secret);
    EXPECT_EQ(std::string(root->internal, sizeof root->internal),
              std::string(other->internal, sizeof other->internal));
    end_root(*root);
}

}  // namespace
}  // namespace xccl
