// Every collective through the public API, ranks as threads, against a plain loop.
//
// Inputs are small whole numbers, so that sums are exact in every order and results must be equal
// to the last bit. Counts cross chunk, slot and tile borders.
// Covers: api/issue.cc comm/call.cc comm/communicator.cc comm/launcher.cc comm/links.cc
// Covers: comm/solo.cc

#include <numeric>

#include "world.h"

namespace xccl::test {
namespace {

struct Case {
    int ranks;
    std::size_t count;
};

class Collectives : public testing::TestWithParam<Case> {};

using T = float;
constexpr xcclDataType_t kType = xcclFloat32;

T total(int ranks, std::size_t i) {
    T sum = 0;
    for (int r = 0; r < ranks; ++r) sum += element<T>(r, i);
    return sum;
}

TEST_P(Collectives, AllReduce) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        for (const bool in_place : {false, true}) {
            std::vector<T> send = elements<T>(rank, count), out(count, T(-1));
            T* recv = in_place ? send.data() : out.data();
            ASSERT_OK(xcclAllReduce(send.data(), recv, count, kType, xcclSum, comm, nullptr));
            for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(recv[i], total(ranks, i)) << i;
        }
    });
}

// In place or not is each rank's own affair.
TEST_P(Collectives, AllReduceInPlaceOnOddRanksAlone) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        std::vector<T> send = elements<T>(rank, count), out(count, T(-1));
        T* recv = rank % 2 == 1 ? send.data() : out.data();
        ASSERT_OK(xcclAllReduce(send.data(), recv, count, kType, xcclSum, comm, nullptr));
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(recv[i], total(ranks, i));
    });
}

TEST_P(Collectives, AllReduceAverageAndExtremes) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        std::vector<std::int32_t> send(count), recv(count);
        for (std::size_t i = 0; i < count; ++i) send[i] = element<std::int32_t>(rank, i) - 5;
        for (const xcclRedOp_t op : {xcclAvg, xcclMax, xcclMin}) {
            ASSERT_OK(xcclAllReduce(send.data(), recv.data(), count, xcclInt32, op, comm, nullptr));
            for (std::size_t i = 0; i < count; ++i) {
                std::int32_t sum = 0, high = INT32_MIN, low = INT32_MAX;
                for (int r = 0; r < ranks; ++r) {
                    const auto x = element<std::int32_t>(r, i) - 5;
                    sum += x, high = std::max(high, x), low = std::min(low, x);
                }
                ASSERT_EQ(recv[i], op == xcclAvg ? sum / ranks : op == xcclMax ? high : low);
            }
        }
    });
}

TEST_P(Collectives, ReduceToEveryRoot) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        for (int root = 0; root < ranks; ++root) {
            const std::vector<T> send = elements<T>(rank, count);
            std::vector<T> recv(rank == root ? count : 0);
            ASSERT_OK(
                xcclReduce(send.data(), recv.data(), count, kType, xcclSum, root, comm, nullptr));
            for (std::size_t i = 0; i < recv.size(); ++i) ASSERT_EQ(recv[i], total(ranks, i));
        }
    });
}

TEST_P(Collectives, BroadcastFromEveryRoot) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        for (int root = 0; root < ranks; ++root) {
            const std::vector<T> send = elements<T>(root, rank == root ? count : 0);
            std::vector<T> recv(count, T(-1));
            ASSERT_OK(xcclBroadcast(send.data(), recv.data(), count, kType, root, comm, nullptr));
            ASSERT_EQ(recv, elements<T>(root, count));
            std::vector<T> both = rank == root ? elements<T>(root, count) : std::vector<T>(count);
            ASSERT_OK(xcclBcast(both.data(), count, kType, root, comm, nullptr));
            ASSERT_EQ(both, elements<T>(root, count));
        }
    });
}

TEST_P(Collectives, AllGather) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        for (const bool in_place : {false, true}) {
            const std::vector<T> own = elements<T>(rank, count);
            std::vector<T> recv(count * ranks, T(-1));
            const T* send = own.data();
            if (in_place) {
                std::copy(own.begin(), own.end(), recv.begin() + count * rank);
                send = recv.data() + count * rank;
            }
            ASSERT_OK(xcclAllGather(send, recv.data(), count, kType, comm, nullptr));
            for (int r = 0; r < ranks; ++r) {
                for (std::size_t i = 0; i < count; ++i)
                    ASSERT_EQ(recv[r * count + i], element<T>(r, i));
            }
        }
    });
}

TEST_P(Collectives, ReduceScatter) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        for (const bool in_place : {false, true}) {
            std::vector<T> send = elements<T>(rank, count * ranks), out(count, T(-1));
            T* recv = in_place ? send.data() + count * rank : out.data();
            ASSERT_OK(xcclReduceScatter(send.data(), recv, count, kType, xcclSum, comm, nullptr));
            for (std::size_t i = 0; i < count; ++i)
                ASSERT_EQ(recv[i], total(ranks, rank * count + i));
        }
    });
}

TEST_P(Collectives, AlltoAll) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        const std::vector<T> send = elements<T>(rank, count * ranks);
        std::vector<T> recv(count * ranks, T(-1));
        ASSERT_OK(xcclAlltoAll(send.data(), recv.data(), count, kType, comm, nullptr));
        for (int r = 0; r < ranks; ++r) {
            for (std::size_t i = 0; i < count; ++i)
                ASSERT_EQ(recv[r * count + i], element<T>(r, rank * count + i));
        }
    });
}

TEST_P(Collectives, GatherAndScatter) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        for (int root = 0; root < ranks; ++root) {
            const std::vector<T> own = elements<T>(rank, count);
            std::vector<T> all(rank == root ? count * ranks : 0);
            ASSERT_OK(xcclGather(own.data(), all.data(), count, kType, root, comm, nullptr));
            for (std::size_t i = 0; i < all.size(); ++i) {
                ASSERT_EQ(all[i], element<T>(static_cast<int>(i / count), i % count));
            }
            std::vector<T> back(count, T(-1));
            ASSERT_OK(xcclScatter(all.data(), back.data(), count, kType, root, comm, nullptr));
            ASSERT_EQ(back, own);
        }
    });
}

TEST_P(Collectives, Variants) {
    const auto [ranks, count] = GetParam();
    const auto block = [count = count](int r) {
        return r % 3 == 1 ? std::size_t{0} : count + static_cast<std::size_t>(r);
    };
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        std::vector<std::size_t> counts(ranks), displacements(ranks);
        for (int r = 0; r < ranks; ++r) counts[r] = block(r);
        std::exclusive_scan(counts.begin(), counts.end(), displacements.begin(), std::size_t{0});
        const std::size_t all = displacements.back() + counts.back();

        const std::vector<T> own = elements<T>(rank, counts[rank]);
        std::vector<T> gathered(all, T(-1));
        ASSERT_OK(xcclAllGatherv(own.data(), gathered.data(), counts.data(), nullptr, kType, comm,
                                 nullptr));
        for (int r = 0; r < ranks; ++r) {
            for (std::size_t i = 0; i < counts[r]; ++i)
                ASSERT_EQ(gathered[displacements[r] + i], element<T>(r, i));
        }

        const std::vector<T> send = elements<T>(rank, all);
        std::vector<T> part(counts[rank], T(-1));
        ASSERT_OK(xcclReduceScatterv(send.data(), part.data(), counts.data(), kType, xcclSum, comm,
                                     nullptr));
        for (std::size_t i = 0; i < part.size(); ++i)
            ASSERT_EQ(part[i], total(ranks, displacements[rank] + i));

        // Rank s sends block(s + d) elements to rank d.
        std::vector<std::size_t> send_counts(ranks), recv_counts(ranks), recv_displacements(ranks);
        for (int r = 0; r < ranks; ++r)
            send_counts[r] = block(rank + r), recv_counts[r] = block(r + rank);
        std::exclusive_scan(recv_counts.begin(), recv_counts.end(), recv_displacements.begin(),
                            std::size_t{0});
        const std::size_t sent =
            std::accumulate(send_counts.begin(), send_counts.end(), std::size_t{0});
        const std::vector<T> out = elements<T>(rank, sent);
        std::vector<T> in(recv_displacements.back() + recv_counts.back(), T(-1));
        ASSERT_OK(xcclAlltoAllv(out.data(), send_counts.data(), nullptr, in.data(),
                                recv_counts.data(), nullptr, kType, comm, nullptr));
        for (int r = 0; r < ranks; ++r) {
            std::size_t offset = 0;  // of what rank r sends to this one
            for (int d = 0; d < rank; ++d) offset += block(r + d);
            for (std::size_t i = 0; i < recv_counts[r]; ++i) {
                ASSERT_EQ(in[recv_displacements[r] + i], element<T>(r, offset + i));
            }
        }
    });
}

TEST_P(Collectives, PreMulSum) {
    const auto [ranks, count] = GetParam();
    with_ranks(ranks, [&](int rank, xcclComm_t comm) {
        float factor = static_cast<float>(rank + 1);
        xcclRedOp_t op;
        ASSERT_OK(xcclRedOpCreatePreMulSum(&op, &factor, kType, xcclScalarHostImmediate, comm));
        const std::vector<T> send = elements<T>(rank, count);
        std::vector<T> recv(count, T(-1));
        ASSERT_OK(xcclAllReduce(send.data(), recv.data(), count, kType, op, comm, nullptr));
        ASSERT_OK(xcclRedOpDestroy(op, comm));
        for (std::size_t i = 0; i < count; ++i) {
            T want = 0;
            for (int r = 0; r < ranks; ++r) want += element<T>(r, i) * static_cast<T>(r + 1);
            ASSERT_EQ(recv[i], want);
        }
    });
}

TEST_P(Collectives, Barrier) {
    const auto ranks = GetParam().ranks;
    std::atomic<int> arrived{0};
    with_ranks(ranks, [&](int, xcclComm_t comm) {
        for (int turn = 1; turn <= 20; ++turn) {
            arrived.fetch_add(1);
            ASSERT_OK(xcclBarrier(comm, nullptr));
            ASSERT_GE(arrived.load(), ranks * turn);
            ASSERT_OK(xcclBarrier(comm, nullptr));
        }
    });
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const int ranks : {1, 2, 3, 4, 5, 7, 8}) {
        for (const std::size_t count : {0u, 1u, 13u, 1000u, 30011u}) all.push_back({ranks, count});
    }
    all.push_back({2, 1000003});
    all.push_back({3, 400009});
    all.push_back({13, 257});
    all.push_back({17, 4099});
    return all;
}

INSTANTIATE_TEST_SUITE_P(Sweep, Collectives, testing::ValuesIn(cases()), [](const auto& info) {
    return "ranks" + std::to_string(info.param.ranks) + "count" + std::to_string(info.param.count);
});

}  // namespace
}  // namespace xccl::test
