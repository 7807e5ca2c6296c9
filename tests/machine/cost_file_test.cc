// Goal: what is kept is found again, by its machine alone; whatever lies there instead, and
// wherever nothing can be kept, ends in a sentence. Method: a folder of the test's own.
//
// Covers: machine/machine_identity.cc
#include "machine/cost_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "machine/machine_identity.h"

namespace xccl {
namespace {

namespace fs = std::filesystem;

class CostFileTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "xccl-costs-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        home_ = name;
    }
    void TearDown() override {
        fs::permissions(home_, fs::perms::owner_all);
        fs::remove_all(home_);
    }
    CostFile file(const std::string& machine = "a machine") const {
        return {home_ + "/cache/xccl", machine};
    }
    static MeasuredCosts costs_times(double factor) {
        MeasuredCosts costs = built_in_costs();
        costs.latency_us *= factor;
        return costs;
    }

    std::string home_;
};

TEST_F(CostFileTest, KeepsWhatIsWritten) {
    EXPECT_EQ(file().read().status().text(), "");  // there is none
    const auto lock = file().lock();               // makes the folders
    ASSERT_TRUE(lock.ok()) << lock.status().text();
    ASSERT_TRUE(*lock);
    ASSERT_TRUE(file().write(costs_times(2)).ok());
    const auto costs = file().read();
    ASSERT_TRUE(costs.ok()) << costs.status().text();
    EXPECT_EQ(*costs, costs_times(2));
    EXPECT_FALSE(fs::exists(file().path() + ".new"));
}

TEST_F(CostFileTest, MachinesHaveFilesOfTheirOwn) {
    ASSERT_TRUE(file("one").lock().ok());
    ASSERT_TRUE(file("one").write(costs_times(2)).ok());
    ASSERT_TRUE(file("two").write(costs_times(3)).ok());
    EXPECT_EQ(*file("one").read(), costs_times(2));
    EXPECT_EQ(*file("two").read(), costs_times(3));
    fs::copy_file(file("one").path(), file("two").path(), fs::copy_options::overwrite_existing);
    EXPECT_EQ(file("two").read().status().text(), "is of another machine");
}

TEST_F(CostFileTest, OneHasTheLockAndNobodyWaits) {
    {
        const auto first = file().lock();
        ASSERT_TRUE(first.ok() && *first);
        const auto second = file().lock();
        ASSERT_TRUE(second.ok());
        EXPECT_FALSE(*second);
    }
    const auto third = file().lock();
    ASSERT_TRUE(third.ok());
    EXPECT_TRUE(*third);
}

TEST_F(CostFileTest, WhatIsNoFileIsNotRead) {
    ASSERT_TRUE(file().lock().ok());
    ASSERT_EQ(mkfifo(file().path().c_str(), 0600), 0);
    EXPECT_FALSE(file().read().ok());  // and does not hang
    fs::remove(file().path());
    fs::create_directory(file().path());
    EXPECT_FALSE(file().read().ok());
    const Status written = file().write(costs_times(2));
    EXPECT_FALSE(written.ok());
    EXPECT_NE(written.text().find("rename"), std::string::npos) << written.text();
    EXPECT_FALSE(fs::exists(file().path() + ".new"));
    fs::remove(file().path());
    std::ofstream(file().path()) << "{\"format\": 1, ";
    EXPECT_EQ(file().read().status().text(), "is cut off, or not JSON");
}

TEST_F(CostFileTest, AFolderThatCannotBeMadeIsAFailure) {
    std::ofstream(home_ + "/cache") << "a file in the way";
    EXPECT_EQ(file().lock().status().code(), xcclSystemError);
    EXPECT_FALSE(file().read().ok());
}

TEST_F(CostFileTest, AReadOnlyFolderIsAFailure) {
    constexpr uid_t kNobody = 65534;  // root may write everywhere, so it becomes somebody else
    const bool root = geteuid() == 0;
    if (root) {
        ASSERT_EQ(chown(home_.c_str(), kNobody, kNobody), 0);
        ASSERT_EQ(seteuid(kNobody), 0);
    }
    ASSERT_TRUE(file().lock().ok());
    fs::permissions(home_ + "/cache/xccl", fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(CostFile(home_ + "/cache/xccl", "new").lock().status().code(), xcclSystemError);
    EXPECT_FALSE(file().write(costs_times(2)).ok());
    fs::permissions(home_ + "/cache/xccl", fs::perms::owner_all);
    if (root) {
        ASSERT_EQ(seteuid(0), 0);
    }
}

TEST_F(CostFileTest, SomebodyElsesFolderIsNotUsed) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a folder away";
    ASSERT_TRUE(file().lock().ok());
    ASSERT_TRUE(file().write(costs_times(2)).ok());
    ASSERT_EQ(chown((home_ + "/cache/xccl").c_str(), 12345, 12345), 0);
    EXPECT_FALSE(file().read().ok());
    EXPECT_EQ(file().lock().status().code(), xcclInvalidUsage);
}

// Readers see the one or the other, whole; the lock is held as it would be.
TEST_F(CostFileTest, WritersAndReadersDoNotMeet) {
    ASSERT_TRUE(file().lock().ok());
    ASSERT_TRUE(file().write(costs_times(1)).ok());
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int writer = 0; writer < 2; ++writer) {
        threads.emplace_back([&, writer] {
            for (int i = 0; i < 200; ++i) {
                const auto lock = file().lock();
                if (!lock.ok() || !*lock) continue;
                EXPECT_TRUE(file().write(costs_times(writer + 1)).ok());
            }
        });
    }
    for (int reader = 0; reader < 2; ++reader) {
        threads.emplace_back([&] {
            for (int i = 0; i < 400; ++i) {
                const auto costs = file().read();
                EXPECT_TRUE(costs.ok()) << costs.status().text();
                if (!costs.ok()) continue;
                EXPECT_TRUE(*costs == costs_times(1) || *costs == costs_times(2));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST(CacheFolder, IsWhereTheEnvironmentSays) {
    setenv("XDG_CACHE_HOME", "/some/cache", 1);
    EXPECT_EQ(user_cache_folder(), "/some/cache/xccl");
    setenv("HOME", "/elsewhere", 1);
    setenv("XDG_CACHE_HOME", "relative", 1);  // the specification wants such ignored
    EXPECT_EQ(user_cache_folder(), "/elsewhere/.cache/xccl");
    unsetenv("XDG_CACHE_HOME");
    EXPECT_EQ(user_cache_folder(), "/elsewhere/.cache/xccl");
    unsetenv("HOME");
    EXPECT_EQ(user_cache_folder(), "");
}

TEST(MachineIdentity, IsOneLineAndStays) {
    const std::string machine = machine_identity();
    EXPECT_EQ(machine, machine_identity());
    EXPECT_EQ(machine.find('\n'), std::string::npos);
    EXPECT_NE(machine.find(" CPUs"), std::string::npos) << machine;
}

}  // namespace
}  // namespace xccl
