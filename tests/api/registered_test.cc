// Goal: collectives on memory from xcclMemAlloc, which peers read where it lies: right results, and
// buffers that are the caller's again as soon as the call has returned.
// Method: ranks as threads; every call is made several times, with other values each time, and both
// buffers are spoiled at once after it. Whoever still read there would deliver what nobody sent.
// Covers: api/memory.cc comm/heap_places.h executor/references.cc

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "world.h"

namespace xccl::test {
namespace {

constexpr int kTurns = 6;
constexpr float kSpoiled = -12345;

class Registered {
  public:
    explicit Registered(std::size_t count) : count_(count) {
        void* memory = nullptr;
        EXPECT_OK(xcclMemAlloc(&memory, count * sizeof(float)));
        data_ = static_cast<float*>(memory);
        spoil();
    }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    Registered(Registered&&) = delete;
    Registered& operator=(Registered&&) = delete;
    ~Registered() { EXPECT_OK(xcclMemFree(data_)); }
    float* data() const { return data_; }
    float& operator[](std::size_t i) const { return data_[i]; }
    std::size_t size() const { return count_; }
    void spoil() const { std::fill(data_, data_ + count_, kSpoiled); }

  private:
    std::size_t count_;
    float* data_ = nullptr;
};

float value(int rank, int turn, std::size_t i) {
    return static_cast<float>((i * 7 + static_cast<std::size_t>(rank) * 3 + turn * 5u) % 11);
}

float sum(int ranks, int turn, std::size_t i) {
    float total = 0;
    for (int rank = 0; rank < ranks; ++rank) total += value(rank, turn, i);
    return total;
}

// A collective of blocks of `count`: how many blocks its buffers have, and what it leaves.
struct Operation {
    const char* name;
    int send_blocks;  // 0: as many as ranks
    int recv_blocks;
    std::function<xcclResult_t(const float*, float*, std::size_t, xcclComm_t, xcclStream_t)> call;
    // Of element i of block b of what `rank` receives.
    std::function<float(int ranks, int rank, int turn, std::size_t b, std::size_t i,
                        std::size_t count)>
        expected;
    bool root_alone = false;  // only rank 0 receives
};

std::vector<Operation> operations() {
    return {
        {"all_reduce", 1, 1,
         [](auto send, auto recv, auto count, auto comm, auto stream) {
             return xcclAllReduce(send, recv, count, xcclFloat32, xcclSum, comm, stream);
         },
         [](int ranks, int, int turn, std::size_t, std::size_t i, std::size_t) {
             return sum(ranks, turn, i);
         }},
        {"reduce", 1, 1,
         [](auto send, auto recv, auto count, auto comm, auto stream) {
             return xcclReduce(send, recv, count, xcclFloat32, xcclSum, 0, comm, stream);
         },
         [](int ranks, int, int turn, std::size_t, std::size_t i, std::size_t) {
             return sum(ranks, turn, i);
         },
         true},
        {"broadcast", 1, 1,
         [](auto send, auto recv, auto count, auto comm, auto stream) {
             return xcclBroadcast(send, recv, count, xcclFloat32, 0, comm, stream);
         },
         [](int, int, int turn, std::size_t, std::size_t i, std::size_t) {
             return value(0, turn, i);
         }},
        {"all_gather", 1, 0,
         [](auto send, auto recv, auto count, auto comm, auto stream) {
             return xcclAllGather(send, recv, count, xcclFloat32, comm, stream);
         },
         [](int, int, int turn, std::size_t b, std::size_t i, std::size_t) {
             return value(static_cast<int>(b), turn, i);
         }},
        {"reduce_scatter", 0, 1,
         [](auto send, auto recv, auto count, auto comm, auto stream) {
             return xcclReduceScatter(send, recv, count, xcclFloat32, xcclSum, comm, stream);
         },
         [](int ranks, int rank, int turn, std::size_t, std::size_t i, std::size_t count) {
             return sum(ranks, turn, static_cast<std::size_t>(rank) * count + i);
         }},
        {"alltoall", 0, 0,
         [](auto send, auto recv, auto count, auto comm, auto stream) {
             return xcclAlltoAll(send, recv, count, xcclFloat32, comm, stream);
         },
         [](int, int rank, int turn, std::size_t b, std::size_t i, std::size_t count) {
             return value(static_cast<int>(b), turn, static_cast<std::size_t>(rank) * count + i);
         }},
    };
}

struct RegisteredCase {
    int ranks;
    std::size_t count;
};

class RegisteredMemory : public testing::TestWithParam<RegisteredCase> {};

void run_turns(const Operation& operation, const RegisteredCase& c, int rank, xcclComm_t comm,
               xcclStream_t stream) {
    const auto blocks = [&](int given) {
        return static_cast<std::size_t>(given == 0 ? c.ranks : given);
    };
    const Registered send(blocks(operation.send_blocks) * c.count);
    const Registered recv(blocks(operation.recv_blocks) * c.count);
    const bool receives = !operation.root_alone || rank == 0;
    for (int turn = 0; turn < kTurns; ++turn) {
        for (std::size_t i = 0; i < send.size(); ++i) send[i] = value(rank, turn, i);
        ASSERT_OK(operation.call(send.data(), recv.data(), c.count, comm, stream));
        if (stream != nullptr) {
            ASSERT_OK(xcclStreamSynchronize(stream));
        }
        send.spoil();
        std::size_t wrong = 0;  // a rank that stopped here would leave the others waiting
        for (std::size_t at = 0; receives && at < recv.size(); ++at) {
            const std::size_t block = at / c.count, i = at % c.count;
            wrong += recv[at] != operation.expected(c.ranks, rank, turn, block, i, c.count);
        }
        EXPECT_EQ(wrong, 0u) << operation.name << ", rank " << rank << ", turn " << turn;
        recv.spoil();
    }
}

TEST_P(RegisteredMemory, IsTheCallersAfterEachCall) {
    for (const Operation& operation : operations()) {
        with_ranks(GetParam().ranks, [&](int rank, xcclComm_t comm) {
            run_turns(operation, GetParam(), rank, comm, nullptr);
        });
    }
}

TEST_P(RegisteredMemory, IsTheCallersAfterEachSynchronisation) {
    for (const Operation& operation : operations()) {
        with_ranks(GetParam().ranks, [&](int rank, xcclComm_t comm) {
            xcclStream_t stream = nullptr;
            ASSERT_OK(xcclStreamCreate(&stream));
            run_turns(operation, GetParam(), rank, comm, stream);
            ASSERT_OK(xcclStreamDestroy(stream));
        });
    }
}

// Every message of the first phase is read in a buffer that the second one overwrites.
TEST_P(RegisteredMemory, MayBeReducedInPlace) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&, ranks = ranks, count = count](int rank, xcclComm_t comm) {
        const Registered buffer(count);
        for (int turn = 0; turn < 4 * kTurns; ++turn) {
            for (std::size_t i = 0; i < count; ++i) buffer[i] = value(rank, turn, i);
            ASSERT_OK(xcclAllReduce(buffer.data(), buffer.data(), count, xcclFloat32, xcclSum, comm,
                                    nullptr));
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < count; ++i) wrong += buffer[i] != sum(ranks, turn, i);
            EXPECT_EQ(wrong, 0u) << "rank " << rank << ", turn " << turn;
        }
    });
}

// Each rank has memory of another kind, and works in place or not, as it likes.
TEST_P(RegisteredMemory, MixesWithOrdinaryMemoryAndInPlace) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&, ranks = ranks, count = count](int rank, xcclComm_t comm) {
        const Registered registered(count), other(count);
        std::vector<float> ordinary(count);
        for (int turn = 0; turn < 4 * kTurns; ++turn) {
            const int kind = (turn + rank) % 4;
            float* const send = kind == 0 ? ordinary.data() : registered.data();
            float* const recv = kind == 1 ? other.data() : kind == 2 ? ordinary.data() : send;
            for (std::size_t i = 0; i < count; ++i) send[i] = value(rank, turn, i);
            ASSERT_OK(xcclAllReduce(send, recv, count, xcclFloat32, xcclSum, comm, nullptr));
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < count; ++i) wrong += recv[i] != sum(ranks, turn, i);
            EXPECT_EQ(wrong, 0u) << "rank " << rank << ", turn " << turn;
            std::fill(send, send + count, kSpoiled);
        }
    });
}

// Rounding of each hop must not depend on how the bytes travel.
TEST_P(RegisteredMemory, GivesTheBitsOfOrdinaryMemory) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&, count = count](int rank, xcclComm_t comm) {
        const Registered send(count), recv(count);
        std::vector<float> ordinary_send(count), ordinary_recv(count);
        for (std::size_t i = 0; i < count; ++i) {
            send[i] = 1.0f / static_cast<float>(i % 1013 + static_cast<std::size_t>(rank) + 1);
            ordinary_send[i] = send[i];
        }
        for (const xcclRedOp_t op : {xcclSum, xcclAvg, xcclProd}) {
            for (int turn = 0; turn < 3; ++turn) {  // the first ones are copied
                ASSERT_OK(
                    xcclAllReduce(send.data(), recv.data(), count, xcclFloat32, op, comm, nullptr));
            }
            ASSERT_OK(xcclAllReduce(ordinary_send.data(), ordinary_recv.data(), count, xcclFloat32,
                                    op, comm, nullptr));
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < count; ++i) wrong += recv[i] != ordinary_recv[i];
            EXPECT_EQ(wrong, 0u) << "rank " << rank << ", operator " << op;
        }
    });
}

// Peers write into each other's outputs what they combine: every datatype and operator, apart and
// in place, as long as a share and as many tiles, and an end that no share ends with.
TEST_P(RegisteredMemory, GivesTheBitsOfOrdinaryMemoryInEveryType) {
    const auto [ranks, count] = GetParam();
    constexpr std::size_t kMostBytes = 8;
    constexpr std::size_t kBytes[xcclNumTypes] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};
    with_ranks(ranks, [&, count = count](int rank, xcclComm_t comm) {
        const std::size_t floats = count * kMostBytes / sizeof(float);
        const Registered send(floats), recv(floats);
        std::vector<float> ordinary_send(floats), ordinary_recv(floats);
        for (int type = 0; type < xcclNumTypes; ++type) {
            for (const xcclRedOp_t op : {xcclSum, xcclProd, xcclMax, xcclMin, xcclAvg}) {
                for (int turn = 0; turn < 4; ++turn) {
                    const bool in_place = turn % 2 != 0;
                    // Bytes of small numbers of whatever type.
                    auto* const bytes = reinterpret_cast<unsigned char*>(send.data());
                    for (std::size_t i = 0; i < floats * sizeof(float); ++i) {
                        bytes[i] =
                            static_cast<unsigned char>((i * 31 + turn * 7u + rank * 13u) % 64);
                    }
                    std::copy(send.data(), send.data() + floats, ordinary_send.data());
                    float* const to = in_place ? send.data() : recv.data();
                    const auto datatype = static_cast<xcclDataType_t>(type);
                    ASSERT_OK(xcclAllReduce(send.data(), to, count, datatype, op, comm, nullptr));
                    ASSERT_OK(xcclAllReduce(ordinary_send.data(), ordinary_recv.data(), count,
                                            datatype, op, comm, nullptr));
                    EXPECT_EQ(std::memcmp(to, ordinary_recv.data(), count * kBytes[type]), 0)
                        << "type " << type << ", operator " << op << ", turn " << turn;
                }
            }
        }
    });
}

// What was freed may come back as memory of another kind, at the same address.
TEST(RegisteredMemoryTable, ForgetsWhatWasFreed) {
    constexpr std::size_t kCount = 1 << 16;
    with_ranks(2, [&](int rank, xcclComm_t comm) {
        for (int turn = 0; turn < 20; ++turn) {
            const Registered send(kCount + static_cast<std::size_t>(turn % 3) * 1024), recv(kCount);
            for (std::size_t i = 0; i < kCount; ++i) send[i] = value(rank, turn, i);
            ASSERT_OK(xcclAllReduce(send.data(), recv.data(), kCount, xcclFloat32, xcclSum, comm,
                                    nullptr));
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < kCount; ++i) wrong += recv[i] != sum(2, turn, i);
            EXPECT_EQ(wrong, 0u) << "rank " << rank << ", turn " << turn;
        }
    });
}

// All-reduces until one fails. Then the buffers are this rank's, whatever the peer is in the middle
// of. Returns how many elements were written after that.
std::size_t written_after_failure(xcclComm_t comm, std::size_t count, std::atomic<int>& under_way) {
    const Registered send(count), recv(count);
    while (xcclAllReduce(send.data(), recv.data(), count, xcclFloat32, xcclSum, comm, nullptr) ==
           xcclSuccess) {
        ++under_way;
    }
    recv.spoil();
    std::this_thread::sleep_for(std::chrono::microseconds(500));
    return static_cast<std::size_t>(
        std::count_if(recv.data(), recv.data() + count, [](float x) { return x != kSpoiled; }));
}

// One rank aborts at any moment: while its peer writes into its output, as likely as not.
TEST(RegisteredMemoryFailures, LeaveNobodyWhoWritesIntoABuffer) {
    for (int turn = 0; turn < 40; ++turn) {
        const std::size_t count = turn % 2 == 0 ? 1 << 16 : 1 << 21;
        xcclComm_t comms[2] = {};
        ASSERT_OK(xcclCommInitAll(comms, 2, nullptr));
        std::atomic<int> under_way{0};
        std::atomic<std::size_t> written{0};
        std::vector<std::thread> ranks;
        for (xcclComm_t comm : comms) {
            ranks.emplace_back(
                [&, comm] { written += written_after_failure(comm, count, under_way); });
        }
        while (under_way < 10) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(turn * 37));
        EXPECT_OK(xcclCommAbort(comms[0]));
        for (std::thread& rank : ranks) rank.join();
        EXPECT_EQ(written.load(), 0u) << "turn " << turn;
        EXPECT_OK(xcclCommDestroy(comms[1]));
    }
}

INSTANTIATE_TEST_SUITE_P(Sweep, RegisteredMemory,
                         testing::Values(RegisteredCase{2, 100}, RegisteredCase{2, 1024},
                                         RegisteredCase{2, 2085}, RegisteredCase{2, 40000},
                                         RegisteredCase{3, 70001}, RegisteredCase{4, 33333},
                                         RegisteredCase{5, 8192}),
                         [](const auto& info) {
                             return "ranks" + std::to_string(info.param.ranks) + "count" +
                                    std::to_string(info.param.count);
                         });

}  // namespace
}  // namespace xccl::test
