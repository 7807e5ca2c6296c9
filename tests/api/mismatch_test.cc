// Goal: ranks that call differently are told so within a second, each with both sides' values,
// whatever it is in which the calls differ; nobody hangs.
// Method: for every field of a call, and for the order of calls, two ranks that differ in it alone,
// as threads, as processes, and over TCP. Whoever is done before the difference can show itself is
// told by xcclCommFinalize.
// Covers: comm/communicator.cc

#include <fstream>
#include <sstream>

#include "instrumented.h"
#include "stages.h"

namespace xccl::test {
namespace {

constexpr long kReportedWithinMs = 1000L * kSlowness;
constexpr std::size_t kSmall = 2, kLarge = 1 << 18;  // 8 bytes and 1 MiB of float32

// One rank's buffers, and the calls that it can make.
struct Caller {
    explicit Caller(xcclComm_t c) : comm(c), in(4 * kLarge), out(4 * kLarge) {}

    xcclResult_t all_reduce(std::size_t count, xcclRedOp_t op = xcclSum,
                            xcclDataType_t type = xcclFloat32) {
        return xcclAllReduce(in.data(), out.data(), count, type, op, comm, nullptr);
    }
    xcclResult_t broadcast(std::size_t count, int root) {
        return xcclBroadcast(in.data(), out.data(), count, xcclFloat32, root, comm, nullptr);
    }
    xcclResult_t all_gatherv(const std::vector<std::size_t>& counts) {
        return xcclAllGatherv(in.data(), out.data(), counts.data(), nullptr, xcclFloat32, comm,
                              nullptr);
    }
    xcclResult_t reduce_scatterv(const std::vector<std::size_t>& counts) {
        return xcclReduceScatterv(in.data(), out.data(), counts.data(), xcclFloat32, xcclSum, comm,
                                  nullptr);
    }
    xcclResult_t all_to_allv(const std::vector<std::size_t>& sent,
                             const std::vector<std::size_t>& received) {
        return xcclAlltoAllv(in.data(), sent.data(), nullptr, out.data(), received.data(), nullptr,
                             xcclFloat32, comm, nullptr);
    }
    xcclResult_t barrier() { return xcclBarrier(comm, nullptr); }

    xcclComm_t comm;
    std::vector<float> in, out;
};

using Side = std::function<xcclResult_t(Caller&)>;

struct Difference {
    std::string name;
    Side here, there;                // rank 0 and all others; rank 1
    std::vector<std::string> words;  // both sides' values, in the text that each gets
    int rank_count = 3;
};

#define FIRST_FAILURE(call)                       \
    do {                                          \
        const xcclResult_t failed = (call);       \
        if (failed != xcclSuccess) return failed; \
    } while (0)

const std::vector<Difference> kOfArguments{
    {"count",
     [](Caller& c) { return c.all_reduce(2); },
     [](Caller& c) { return c.all_reduce(3); },
     {"all_reduce #1 of 2 float32", "all_reduce #1 of 3 float32"}},
    {"count 0",
     [](Caller& c) { return c.all_reduce(0); },
     [](Caller& c) { return c.all_reduce(3); },
     {"all_reduce #1 of 0 float32", "all_reduce #1 of 3 float32"}},
    {"8 bytes against 1 MiB",
     [](Caller& c) { return c.all_reduce(kSmall); },
     [](Caller& c) { return c.all_reduce(kLarge); },
     {"all_reduce #1 of 2 float32", "all_reduce #1 of 262144 float32"}},
    {"datatype",
     [](Caller& c) { return c.all_reduce(2, xcclSum, xcclInt32); },
     [](Caller& c) { return c.all_reduce(2, xcclSum, xcclFloat32); },
     {"all_reduce #1 of 2 int32", "all_reduce #1 of 2 float32"}},
    {"datatype of another size",
     [](Caller& c) { return c.all_reduce(kLarge, xcclSum, xcclFloat64); },
     [](Caller& c) { return c.all_reduce(kLarge, xcclSum, xcclInt8); },
     {"of 262144 float64", "of 262144 int8"}},
    {"operator",
     [](Caller& c) { return c.all_reduce(2, xcclSum); },
     [](Caller& c) { return c.all_reduce(2, xcclMax); },
     {"float32, sum", "float32, max"}},
    {"root of a broadcast",
     [](Caller& c) { return c.broadcast(kSmall, 0); },
     [](Caller& c) { return c.broadcast(kSmall, 1); },
     {"broadcast #1 of 2 float32, root 0", "broadcast #1 of 2 float32, root 1"}},
    {"root of a large broadcast",
     [](Caller& c) { return c.broadcast(kLarge, 0); },
     [](Caller& c) { return c.broadcast(kLarge, 1); },
     {"broadcast #1 of 262144 float32, root 0", "broadcast #1 of 262144 float32, root 1"}},
    {"broadcast against all-reduce",
     [](Caller& c) { return c.broadcast(kSmall, 0); },
     [](Caller& c) { return c.all_reduce(kSmall); },
     {"broadcast #1 of 2 float32, root 0", "all_reduce #1 of 2 float32, sum"}},
    {"large all-reduce against broadcast",
     [](Caller& c) { return c.all_reduce(kLarge); },
     [](Caller& c) { return c.broadcast(kLarge, 0); },
     {"all_reduce #1 of 262144", "broadcast #1 of 262144"}},
    {"barrier against all-reduce",
     [](Caller& c) { return c.barrier(); },
     [](Caller& c) { return c.all_reduce(kSmall); },
     {"barrier #1", "all_reduce #1 of 2 float32"}},
};

const std::vector<Difference> kOfOrder{
    {"barrier against nothing more",
     [](Caller& c) { return c.barrier(); },
     [](Caller&) { return xcclSuccess; },
     {"barrier #1", "finalize #1"}},
    {"order",
     [](Caller& c) {
         FIRST_FAILURE(c.all_reduce(kSmall, xcclSum));
         return c.all_reduce(kSmall, xcclMax);
     },
     [](Caller& c) {
         FIRST_FAILURE(c.all_reduce(kSmall, xcclMax));
         return c.all_reduce(kSmall, xcclSum);
     },
     {"all_reduce #1 of 2 float32, sum", "all_reduce #1 of 2 float32, max"}},
    {"order of two operations",
     [](Caller& c) {
         FIRST_FAILURE(c.broadcast(kLarge, 0));
         return c.all_reduce(kSmall);
     },
     [](Caller& c) {
         FIRST_FAILURE(c.all_reduce(kSmall));
         return c.broadcast(kLarge, 0);
     },
     {"broadcast #1 of 262144 float32", "all_reduce #1 of 2 float32"}},
    {"order inside a group",
     [](Caller& c) {
         FIRST_FAILURE(xcclGroupStart());
         FIRST_FAILURE(c.broadcast(kSmall, 0));
         FIRST_FAILURE(c.all_reduce(kLarge));
         return xcclGroupEnd();
     },
     [](Caller& c) {
         FIRST_FAILURE(xcclGroupStart());
         FIRST_FAILURE(c.all_reduce(kLarge));
         FIRST_FAILURE(c.broadcast(kSmall, 0));
         return xcclGroupEnd();
     },
     {"broadcast #1 of 2 float32", "all_reduce #1 of 262144 float32"}},
    {"one call more in a group",
     [](Caller& c) {
         FIRST_FAILURE(xcclGroupStart());
         FIRST_FAILURE(c.all_reduce(kSmall));
         FIRST_FAILURE(c.broadcast(kSmall, 0));
         return xcclGroupEnd();
     },
     [](Caller& c) {
         FIRST_FAILURE(xcclGroupStart());
         FIRST_FAILURE(c.all_reduce(kSmall));
         return xcclGroupEnd();
     },
     {"broadcast #2 of 2 float32", "finalize #2"}},
};

const std::vector<Difference> kOfShares{
    {"counts of an all-gatherv",
     [](Caller& c) {
         return c.all_gatherv({2, 3});
     },
     [](Caller& c) {
         return c.all_gatherv({2, 4});
     },
     {"all_gatherv #1 of 5 float32", "all_gatherv #1 of 6 float32"},
     2},
    {"counts of an all-gatherv, with the same sum",
     [](Caller& c) {
         return c.all_gatherv({0, 2});
     },
     [](Caller& c) {
         return c.all_gatherv({2, 0});
     },
     {"all_gatherv #1 of 2 float32 in all"},
     2},
    {"a small count against a large one of an all-gatherv",
     [](Caller& c) {
         return c.all_gatherv({2, 2});
     },
     [](Caller& c) {
         return c.all_gatherv({2, kLarge});
     },
     {"all_gatherv #1 of 4 float32", "all_gatherv #1 of 262146 float32"},
     2},
    {"counts of a reduce-scatterv",
     [](Caller& c) {
         return c.reduce_scatterv({2, 300000});
     },
     [](Caller& c) {
         return c.reduce_scatterv({300000, 2});
     },
     {"reduce_scatterv #1 of 300002 float32 in all"},
     2},
    {"counts of an all-to-allv",
     [](Caller& c) {
         return c.all_to_allv({1, 3}, {1, 4});
     },
     [](Caller& c) {
         return c.all_to_allv({4, 1}, {5, 1});
     },
     {"expects a message of 20 bytes", "sent 12"},
     2},
    {"nothing sent in an all-to-allv",
     [](Caller& c) {
         return c.all_to_allv({1, 0}, {1, 0});
     },
     [](Caller& c) {
         return c.all_to_allv({0, 1}, {5, 1});
     },
     {"all_to_allv #1", "20 bytes", "sent 0"},
     2},
    {"more sent than received in an all-to-allv",
     [](Caller& c) {
         return c.all_to_allv({0, kLarge}, {0, 0});
     },
     [](Caller& c) {
         return c.all_to_allv({0, 0}, {0, 0});
     },
     {"all_to_allv #1", "expects a message of 0 bytes"},
     2},
    {"whole tiles more in an all-to-allv",
     [](Caller& c) {
         return c.all_to_allv({0, kLarge}, {0, 0});
     },
     [](Caller& c) {
         return c.all_to_allv({0, 0}, {kLarge / 2, 0});
     },
     {"all_to_allv #1", "its last", "more to send"},
     2},
    {"whole tiles less in an all-to-allv",
     [](Caller& c) {
         return c.all_to_allv({0, kLarge / 2}, {0, 0});
     },
     [](Caller& c) {
         return c.all_to_allv({0, 0}, {kLarge, 0});
     },
     {"all_to_allv #1", "its last: the counts"},
     2},
};

const std::vector<Difference> kOfTransfers{
    {"a send that nobody receives",
     [](Caller& c) { return xcclSend(c.in.data(), 3, xcclFloat32, 1, c.comm, nullptr); },
     [](Caller&) { return xcclSuccess; },
     {"has sent 3 float32", "finalize"},
     2},
    {"count of a send",
     [](Caller& c) { return xcclSend(c.in.data(), 3, xcclFloat32, 1, c.comm, nullptr); },
     [](Caller& c) { return xcclRecv(c.out.data(), 4, xcclFloat32, 0, c.comm, nullptr); },
     {"receives 4 float32", "sends 3 float32"},
     2},
    {"datatype of a send",
     [](Caller& c) { return xcclSend(c.in.data(), 3, xcclFloat32, 1, c.comm, nullptr); },
     [](Caller& c) { return xcclRecv(c.out.data(), 3, xcclInt32, 0, c.comm, nullptr); },
     {"receives 3 int32", "sends 3 float32"},
     2},
};

class Mismatch : public testing::TestWithParam<Stage> {};

void expect_told(const Difference& difference, const std::vector<Verdict>& verdicts) {
    for (std::size_t rank = 0; rank < verdicts.size(); ++rank) {
        const Verdict& told = verdicts[rank];
        const std::string who = difference.name + ", rank " + std::to_string(rank) + ": ";
        EXPECT_EQ(told.result, xcclInvalidUsage) << who << told.text;
        EXPECT_LT(told.ms, kReportedWithinMs) << who << told.text;
        for (const std::string& word : difference.words) {
            EXPECT_NE(told.text.find(word), std::string::npos)
                << who << "'" << word << "' is not in: " << told.text;
        }
    }
}

// Each is told to both sides within a second. Most of that goes by in waiting, so some run side by
// side.
void play_all(Stage stage, const std::vector<Difference>& all) {
    constexpr std::size_t kAtOnce = 6;
    for (std::size_t first = 0; first < all.size(); first += kAtOnce) {
        std::vector<std::unique_ptr<Play>> plays;
        for (std::size_t i = first; i < std::min(first + kAtOnce, all.size()); ++i) {
            const Difference& difference = all[i];
            plays.push_back(std::make_unique<Play>(
                stage, difference.rank_count, [&difference](int rank, xcclComm_t comm) {
                    Caller caller(comm);
                    FIRST_FAILURE((rank == 1 ? difference.there : difference.here)(caller));
                    return xcclCommFinalize(comm);
                }));
        }
        for (std::size_t i = 0; i < plays.size(); ++i)
            expect_told(all[first + i], plays[i]->verdicts());
    }
}

TEST_P(Mismatch, OfArguments) {
    play_all(GetParam(), kOfArguments);
}

TEST_P(Mismatch, OfOrder) {
    play_all(GetParam(), kOfOrder);
}

TEST_P(Mismatch, OfShares) {
    play_all(GetParam(), kOfShares);
}

TEST_P(Mismatch, OfTransfers) {
    play_all(GetParam(), kOfTransfers);
}

INSTANTIATE_TEST_SUITE_P(On, Mismatch,
                         testing::Values(Stage::kThreads, Stage::kProcesses, Stage::kTcp),
                         [](const auto& stage) { return name_of(stage.param); });

// Threads of the two ranks may still make the calls, so it is no error; the deadline ends it here.
TEST(OrderOnTwoCommunicators, IsLogged) {
    const std::string file = testing::TempDir() + "xccl-order-" + std::to_string(getpid());
    setenv("XCCL_DEBUG", "warn", 1);
    setenv("XCCL_DEBUG_FILE", file.c_str(), 1);
    setenv("XCCL_TIMEOUT_MS", std::to_string(2000L * kSlowness).c_str(), 1);
    Play play(Stage::kProcesses, 2, [](int rank, xcclComm_t comm) {
        xcclComm_t other = nullptr;
        FIRST_FAILURE(xcclCommSplit(comm, 0, rank, &other, nullptr));
        return xcclBarrier(rank == 0 ? comm : other, nullptr);
    });
    for (const Verdict& verdict : play.verdicts(std::chrono::seconds(15L * kSlowness)))
        EXPECT_EQ(verdict.result, xcclTimeout) << verdict.text;
    std::stringstream log;
    log << std::ifstream(file).rdbuf();
    unlink(file.c_str());
    for (const char* words : {" waits for rank 1 on", "barrier #1 waits for rank 0 (",
                              "has not called on another communicator"})
        EXPECT_NE(log.str().find(words), std::string::npos) << words << " in: " << log.str();
}

class OneSided : public testing::TestWithParam<Stage> {};

// Nothing can come from a rank that has called its last, and nothing can go there.
// Over TCP it takes ten seconds to be sure of that.
TEST_P(OneSided, TransferIsToldWhenThePeerFinalizes) {
    for (const bool is_send : {true, false}) {
        Play play(GetParam(), 2, [is_send](int rank, xcclComm_t comm) {
            Caller c(comm);
            const std::size_t count = c.in.size();  // more than any mailbox holds
            if (rank == 0 && is_send)
                FIRST_FAILURE(xcclSend(c.in.data(), count, xcclFloat32, 1, comm, nullptr));
            if (rank == 0 && !is_send)
                FIRST_FAILURE(xcclRecv(c.out.data(), count, xcclFloat32, 1, comm, nullptr));
            return xcclCommFinalize(comm);
        });
        const std::string what = is_send ? "sends 1048576 float32 to" : "receives 1048576 float32";
        expect_told({"one-sided", {}, {}, {what, "finalized"}}, play.verdicts());
    }
}

INSTANTIATE_TEST_SUITE_P(On, OneSided, testing::Values(Stage::kThreads, Stage::kProcesses),
                         [](const auto& stage) { return name_of(stage.param); });

}  // namespace
}  // namespace xccl::test
