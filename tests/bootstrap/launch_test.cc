// Goal: rank and size are those that the innermost launcher gave, whoever it was; malformed values
// are named; what has leaked from another launcher is passed over. Method: the pure form, fed with
// environments as the launchers really leave them.
#include "bootstrap/launch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

namespace xccl {
namespace {

using Environment = std::map<std::string, std::string>;

std::optional<PmixStanding> no_pmix() {
    ADD_FAILURE() << "PMIx was asked without need";
    return std::nullopt;
}

Result<LaunchInfo> detect(const Environment& environment, const PmixQuery& ask_pmix = no_pmix) {
    return detect_launch(
        [&](const char* name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
        },
        ask_pmix);
}

// "launcher rank/size local_rank/local_size", or the failure.
std::string told(const Result<LaunchInfo>& info) {
    if (!info.ok()) {
        EXPECT_EQ(info.status().code(), xcclInvalidArgument);
        return info.status().text();
    }
    return fmt::format("{} {}/{} {}/{}", info->launcher, info->rank, info->size, info->local_rank,
                       info->local_size);
}

Environment operator+(Environment a, const Environment& b) {
    a.insert(b.begin(), b.end());
    return a;
}

const Environment kXccl{
    {"XCCL_RANK", "1"}, {"XCCL_SIZE", "3"}, {"XCCL_LOCAL_RANK", "1"}, {"XCCL_LOCAL_SIZE", "3"}};
const Environment kOpenMpi{{"OMPI_COMM_WORLD_RANK", "5"},
                           {"OMPI_COMM_WORLD_SIZE", "8"},
                           {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                           {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
                           {"PMIX_RANK", "5"},
                           {"PMIX_NAMESPACE", "1589575681"}};
const Environment kTorchrun{
    {"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}};
const Environment kSlurm{{"SLURM_PROCID", "5"},
                         {"SLURM_NTASKS", "6"},
                         {"SLURM_LOCALID", "1"},
                         {"SLURM_NODEID", "1"},
                         {"SLURM_STEP_ID", "0"},
                         {"SLURM_STEP_NUM_NODES", "2"},
                         {"SLURM_STEP_TASKS_PER_NODE", "4,2"}};
const Environment kHydra{
    {"PMI_RANK", "2"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "0"}, {"MPI_LOCALNRANKS", "2"}};

TEST(Launch, NobodyLaunchedThis) {
    EXPECT_EQ(told(detect({{"PATH", "/bin"}})), "none 0/1 0/1");
}

TEST(Launch, EachFamily) {
    EXPECT_EQ(told(detect(kXccl)), "xccl-run 1/3 1/3");
    EXPECT_EQ(told(detect(kOpenMpi)), "openmpi 5/8 1/4");
    EXPECT_EQ(told(detect(kTorchrun)), "torchrun 3/4 1/2");
    EXPECT_EQ(told(detect(kSlurm)), "slurm 5/6 1/2");
    EXPECT_EQ(told(detect(kHydra)), "pmi 2/4 0/2");
}

TEST(Launch, OrderOfTheFamilies) {
    EXPECT_EQ(told(detect(kHydra + kSlurm + kTorchrun + kOpenMpi + kXccl)), "xccl-run 1/3 1/3");
    EXPECT_EQ(told(detect(kHydra + kSlurm + kTorchrun + kOpenMpi)), "openmpi 5/8 1/4");
    EXPECT_EQ(told(detect(kHydra + kSlurm + kTorchrun)), "torchrun 3/4 1/2");
}

TEST(Launch, RankAndSizeComeFromOneFamily) {
    EXPECT_EQ(told(detect({{"XCCL_RANK", "1"}, {"WORLD_SIZE", "4"}})), "none 0/1 0/1");
    EXPECT_EQ(told(detect(Environment{{"XCCL_SIZE", "2"}, {"RANK", "0"}} + kHydra)), "pmi 2/4 0/2");
}

TEST(Launch, WhatIsLocalMayBeUnknown) {
    EXPECT_EQ(told(detect({{"XCCL_RANK", "1"}, {"XCCL_SIZE", "3"}})), "xccl-run 1/3 0/0");
    EXPECT_EQ(told(detect({{"XCCL_RANK", "0"}, {"XCCL_SIZE", "1"}})), "xccl-run 0/1 0/1");
}

TEST(Launch, MalformedVariablesAreNamed) {
    EXPECT_EQ(told(detect({{"RANK", "one"}, {"WORLD_SIZE", "2"}})),
              "RANK is \"one\"; it must be a whole number from 0 to 65536");
    EXPECT_EQ(told(detect({{"RANK", "0"}, {"WORLD_SIZE", "0"}})),
              "WORLD_SIZE is \"0\"; it must be a whole number from 1 to 65536");
    EXPECT_EQ(told(detect(Environment{{"LOCAL_RANK", "\x1b[2J-1"}} + kTorchrun)),
              "LOCAL_RANK is \"?[2J-1\"; it must be a whole number from 0 to 65536");
    for (const char* bad :
         {"-1", " 1", "1 ", "+1", "0x1", "1.0", "65537", "99999999999999999999"}) {
        EXPECT_FALSE(detect({{"PMI_RANK", bad}, {"PMI_SIZE", "2"}}).ok()) << bad;
        EXPECT_FALSE(detect({{"PMI_RANK", "0"}, {"PMI_SIZE", bad}}).ok()) << bad;
    }
}

TEST(Launch, RanksAreBelowTheSize) {
    EXPECT_EQ(told(detect({{"OMPI_COMM_WORLD_RANK", "4"}, {"OMPI_COMM_WORLD_SIZE", "4"}})),
              "OMPI_COMM_WORLD_RANK is 4 and OMPI_COMM_WORLD_SIZE is 4: ranks are counted from 0");
    EXPECT_EQ(told(detect({{"XCCL_RANK", "0"},
                           {"XCCL_SIZE", "2"},
                           {"XCCL_LOCAL_RANK", "2"},
                           {"XCCL_LOCAL_SIZE", "2"}})),
              "XCCL_LOCAL_RANK is 2 and XCCL_LOCAL_SIZE is 2: ranks are counted from 0");
}

TEST(Launch, SlurmCountsOnlyInAStep) {
    Environment batch = kSlurm;
    batch.erase("SLURM_STEP_ID");
    EXPECT_EQ(told(detect(batch)), "none 0/1 0/1");
    // The batch script and the interactive shell of newer versions have a step's number of a kind.
    for (const char* special : {"4294967291", "4294967290", "-5", "batch"}) {
        batch["SLURM_STEP_ID"] = special;
        EXPECT_EQ(told(detect(batch)), "none 0/1 0/1") << special;
    }
}

TEST(Launch, SlurmOnOneNode) {
    EXPECT_EQ(told(detect({{"SLURM_PROCID", "1"},
                           {"SLURM_NTASKS", "2"},
                           {"SLURM_LOCALID", "1"},
                           {"SLURM_STEP_ID", "3"},
                           {"SLURM_STEP_NUM_NODES", "1"}})),
              "slurm 1/2 1/2");
}

TEST(Launch, TasksOnANode) {
    EXPECT_EQ(slurm_tasks_on_node("4", 0), 4);
    EXPECT_EQ(slurm_tasks_on_node("4", 1), 0);
    EXPECT_EQ(slurm_tasks_on_node("2(x3),1", 2), 2);
    EXPECT_EQ(slurm_tasks_on_node("2(x3),1", 3), 1);
    EXPECT_EQ(slurm_tasks_on_node("1,8(x2),3", 2), 8);
    for (const char* bad : {"", ",", "x", "2(x", "2(x)", "2(x-1)", "-1", "2(x2", "(x2)", "99999999",
                            "2(x99999999999999999999)"}) {
        EXPECT_EQ(slurm_tasks_on_node(bad, 0), 0) << bad;
    }
}

TEST(Launch, AStepThatOnlyStartedAnotherLauncherIsPassedOver) {
    const Environment helper{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}, {"SLURM_STEP_ID", "0"}};
    EXPECT_EQ(told(detect(helper + kHydra)), "pmi 2/4 0/2");
    const auto standing = [] { return PmixStanding{4, 1, 2}; };
    EXPECT_EQ(told(detect(helper + Environment{{"PMIX_RANK", "3"}, {"PMIX_NAMESPACE", "prte-1@1"}},
                          standing)),
              "pmix 3/4 1/2");
    // srun itself speaks PMI and PMIx too; then all agree.
    EXPECT_EQ(told(detect(kSlurm + Environment{{"PMI_RANK", "5"}, {"PMI_SIZE", "6"}})),
              "slurm 5/6 1/2");
    EXPECT_EQ(told(detect(kSlurm +
                          Environment{{"PMIX_RANK", "5"}, {"PMIX_NAMESPACE", "slurm.pmix.3.0"}})),
              "slurm 5/6 1/2");
}

TEST(Launch, PmixTellsTheSize) {
    const Environment rank{{"PMIX_RANK", "2"}, {"PMIX_NAMESPACE", "job@1"}};
    EXPECT_EQ(told(detect(rank, [] { return PmixStanding{3, 0, 1}; })), "pmix 2/3 0/1");
    EXPECT_EQ(told(detect(rank, [] { return std::optional<PmixStanding>(); })), "none 0/1 0/1");
    EXPECT_EQ(told(detect(rank,
                          [] {
                              return PmixStanding{2, 0, 1};
                          })),
              "PMIX_RANK is 2 and the size of the job is 2: ranks are counted from 0");
    EXPECT_EQ(told(detect({{"PMIX_RANK", "-"}},
                          [] {
                              return PmixStanding{2, 0, 1};
                          })),
              "PMIX_RANK is \"-\"; it must be a whole number from 0 to 65536");
}

// In a process of its own: settings are read once, and the tests' own launcher may be any.
void expect_own_launch(const Environment& environment, const std::string& wanted) {
    EXPECT_EXIT(
        {
            clearenv();
            for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
            const std::string found = told(detect_launch());
            std::fprintf(stderr, "%s", found.c_str());
            _exit(found == wanted ? 0 : 1);
        },
        testing::ExitedWithCode(0), "")
        << wanted;
}

TEST(OwnLaunch, ReadsTheEnvironment) {
    expect_own_launch({}, "none 0/1 0/1");
    expect_own_launch(kTorchrun, "torchrun 3/4 1/2");
    expect_own_launch({{"XCCL_RANK", "two"}, {"XCCL_SIZE", "2"}},
                      "XCCL_RANK is \"two\"; it must be a whole number from 0 to 65535");
}

TEST(OwnLaunch, PmiWithoutItsConnectionHasLeaked) {
    expect_own_launch(kHydra + Environment{{"PMI_FD", "987"}}, "none 0/1 0/1");
    expect_own_launch(kHydra + Environment{{"PMI_FD", "x"}}, "none 0/1 0/1");
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    expect_own_launch(kHydra + Environment{{"PMI_FD", std::to_string(ends[0])}}, "none 0/1 0/1");
    close(ends[0]);
    close(ends[1]);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect_own_launch(kHydra + Environment{{"PMI_FD", std::to_string(ends[0])}}, "pmi 2/4 0/2");
    close(ends[0]);
    close(ends[1]);
}

}  // namespace
}  // namespace xccl
