// Goal: with --bind, ranks get CPUs of their own, as many each, and only such as are allowed.
// Method: sets of CPUs. The rest of starting is tested with the program.
#include "xccl_run/rank_process.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace xccl::run {
namespace {

cpu_set_t set_of(std::initializer_list<int> cpus) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus) CPU_SET(cpu, &set);
    return set;
}

bool share_is(const cpu_set_t& allowed, int rank, int size, std::initializer_list<int> cpus) {
    const auto share = share_of_cpus(allowed, rank, size);
    const cpu_set_t wanted = set_of(cpus);
    return share.ok() && CPU_EQUAL(&*share, &wanted);
}

TEST(ShareOfCpus, EqualAndDisjoint) {
    const cpu_set_t allowed = set_of({1, 3, 4, 5, 64, 65, 70});
    EXPECT_TRUE(share_is(allowed, 0, 1, {1, 3, 4, 5, 64, 65, 70}));
    EXPECT_TRUE(share_is(allowed, 0, 3, {1, 3}));
    EXPECT_TRUE(share_is(allowed, 1, 3, {4, 5}));
    EXPECT_TRUE(share_is(allowed, 2, 3, {64, 65}));  // what is left over stays unused
    EXPECT_TRUE(share_is(allowed, 6, 7, {70}));
}

TEST(ShareOfCpus, TooFew) {
    const auto share = share_of_cpus(set_of({0, 1}), 0, 3);
    EXPECT_EQ(share.status().code(), xcclInvalidUsage);
    EXPECT_EQ(share.status().text(),
              "--bind: 3 ranks cannot each have a CPU of their own: 2 may be used");
}

}  // namespace
}  // namespace xccl::run
