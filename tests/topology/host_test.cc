// Goal: a process knows its place, and says the same of it every time.
#include "topology/host.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace xccl {
namespace {

TEST(Host, IsTheSameEveryTime) {
    const HostIdentity host = local_host();
    EXPECT_FALSE(host.name.empty());
    EXPECT_FALSE(host.place.host_key.empty());
    EXPECT_FALSE(host.place.machine_key.empty());
    EXPECT_EQ(host.place, local_host().place);
    EXPECT_GT(cpu_count_of(host.place.cpu_mask), 0);
    EXPECT_TRUE(decode_rank_info(encode_rank_info(host.place)).ok());
}

TEST(Host, AnotherProcessIsOnTheSameHost) {
    const HostIdentity host = local_host();
    const pid_t child = fork();
    if (child == 0) {
        const HostIdentity other = local_host();
        _exit(other.place.host_key == host.place.host_key &&
                      other.place.machine_key == host.place.machine_key &&
                      other.place.process_key != host.place.process_key
                  ? 0
                  : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Host, QuotasAreWholeCpus) {
    EXPECT_EQ(cpus_of_quota("max 100000"), 0u);
    EXPECT_EQ(cpus_of_quota("100000 100000"), 1u);
    EXPECT_EQ(cpus_of_quota("150000 100000"), 2u);
    EXPECT_EQ(cpus_of_quota("50000 100000"), 1u);
    for (const char* text : {"", "0 100000", "100000", "100000 ", "100000 0", "-1 5", "x y"}) {
        EXPECT_EQ(cpus_of_quota(text), 0u) << text;
    }
}

}  // namespace
}  // namespace xccl
