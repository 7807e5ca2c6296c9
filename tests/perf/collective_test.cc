// Goal: the table of collectives is consistent: counts and sizes follow nccl-tests, what must come
// out fits the buffers, and factors are its. Method: every collective over rank counts and sizes.
#include "collectives/collective.h"

#include <gtest/gtest.h>

namespace xccl::perf {
namespace {

struct Expected {
    std::string_view name;
    std::size_t bytes;
    int ranks;
    std::size_t size;   // of the row, in bytes of float
    std::size_t count;  // in elements
};

TEST(Collective, SizeAndCountColumns) {
    const Expected all[] = {
        {"all_reduce", 1000, 3, 1000, 250},
        {"all_reduce", 7, 2, 4, 1},
        {"broadcast", 0, 2, 0, 0},
        {"sendrecv", 64, 1, 64, 16},
        {"all_gather", 1000, 3, 960, 80},
        {"all_gather", 64, 8, 0, 0},
        {"all_gather", 64, 1, 64, 16},
        {"reduce_scatter", 100, 2, 96, 12},
        {"alltoall", 127, 8, 0, 0},
        {"alltoall", 128, 8, 128, 4},
        {"gather", 1 << 20, 3, 1048560, 87380},
        {"scatter", 48, 3, 48, 4},
    };
    for (const Expected& e : all) {
        const Collective& c = *find_collective(e.name);
        const Shape shape{e.ranks, count_for(c, e.bytes, 4, e.ranks), 0, nullptr};
        EXPECT_EQ(shape.count, e.count) << e.name << " " << e.bytes;
        EXPECT_EQ(c.size_count(shape) * 4, e.size) << e.name << " " << e.bytes;
    }
}

TEST(Collective, BandwidthFactors) {
    const auto factor = [](std::string_view name, int ranks) {
        return find_collective(name)->bus_factor(ranks);
    };
    EXPECT_DOUBLE_EQ(factor("all_reduce", 4), 1.5);
    EXPECT_DOUBLE_EQ(factor("all_gather", 4), 0.75);
    EXPECT_DOUBLE_EQ(factor("alltoallv", 4), 0.75);
    EXPECT_DOUBLE_EQ(factor("broadcast", 4), 1);
    EXPECT_DOUBLE_EQ(factor("sendrecv", 1), 1);
    EXPECT_DOUBLE_EQ(factor("all_reduce", 1), 0);
}

TEST(Collective, WhatMustComeOutFillsTheReceiveBuffers) {
    for (const Collective& c : collectives()) {
        for (const int ranks : {1, 2, 3, 8}) {
            const Traffic traffic = spread_traffic(ranks, 64, 1, 4);
            const Shape shape{ranks, 64, ranks - 1, &traffic};
            std::size_t received = 0;
            for (int rank = 0; rank < ranks; ++rank) {
                std::size_t filled = 0;
                for (const Segment& segment : c.expected(shape, rank)) {
                    EXPECT_EQ(segment.at, filled) << c.name;
                    filled += segment.count;
                    if (segment.source_rank == Segment::kReduced) continue;
                    EXPECT_LE(segment.source_at + segment.count,
                              c.send_count(shape, segment.source_rank))
                        << c.name;
                }
                const bool is_for_root = c.name == "reduce" || c.name == "gather";
                const bool receives = !is_for_root || rank == shape.root;
                EXPECT_EQ(filled, receives ? c.receive_count(shape, rank) : 0) << c.name;
                EXPECT_LE(filled, c.size_count(shape)) << c.name;
                received += filled;
            }
            EXPECT_GT(received, 0u) << c.name;
        }
    }
}

TEST(Collective, NamesAreUnique) {
    for (const Collective& c : collectives()) EXPECT_EQ(find_collective(c.name), &c);
    EXPECT_EQ(find_collective("hypercube"), nullptr);
}

}  // namespace
}  // namespace xccl::perf
