// Goal: a segment takes the memory that it needs and no more, leaves nothing behind, refuses what
// is not its kind, and says clearly which limit stood in the way. Method: real limits of this
// process where it can lower them and raise them again; refusals that a test cannot bring about
// come from replaced system calls.
#include "transport/segment.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>
#include <vector>

#include "layout_of.h"

namespace xccl {
namespace {

std::set<std::string> names_in(const char* folder) {
    std::set<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        names.insert(entry.path().filename());
    }
    return names;
}

std::size_t memory_of(int descriptor) {
    struct stat facts {};
    fstat(descriptor, &facts);
    return static_cast<std::size_t>(facts.st_blocks) * 512;
}

class LoweredLimit {
  public:
    LoweredLimit(int resource, rlim_t value) : resource_(resource) {
        getrlimit(resource_, &before_);
        const rlimit lowered{value, before_.rlim_max};
        setrlimit(resource_, &lowered);
    }
    ~LoweredLimit() { setrlimit(resource_, &before_); }

  private:
    int resource_;
    rlimit before_{};
};

testing::AssertionResult says(const Status& status, const char* word) {
    if (!status.ok() && status.text().find(word) != std::string::npos) {
        return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "'" << status.text() << "' lacks '" << word << "'";
}

TEST(Segment, PrivateMemoryTakesNoDescriptor) {
    const auto before = names_in("/proc/self/fd").size();
    auto segment = *Segment::create_private(layout_of(4));
    EXPECT_EQ(names_in("/proc/self/fd").size(), before);
    EXPECT_TRUE(segment->enrol(2).ok());
    EXPECT_EQ(segment->state_of(2), RankState::kPresent);
    EXPECT_EQ(segment->state_of(1), RankState::kAbsent);
    segment->leave(2);
    EXPECT_EQ(segment->state_of(2), RankState::kLeft);
}

// Advice that the last segment gave, and what the kernel answers: system calls are plain functions.
std::vector<int>& advice_given() {
    static std::vector<int> given;
    return given;
}

// Few ranks have large mailboxes and use all of them; of many ranks' most are never touched.
TEST(Segment, HugePagesAreAskedForWherePairsFillThem) {
    SystemCalls calls;
    calls.madvise = [](void* address, std::size_t bytes, int advice) {
        advice_given().push_back(advice);
        return ::madvise(address, bytes, advice);
    };
    for (const auto& [ranks, asks] : {std::pair(2, true), {8, true}, {64, false}}) {
        for (const bool shared : {true, false}) {
            advice_given().clear();
            const auto segment = shared ? Segment::create(layout_of(ranks), calls)
                                        : Segment::create_private(layout_of(ranks), calls);
            ASSERT_TRUE(segment.ok());
            const bool asked =
                std::count(advice_given().begin(), advice_given().end(), MADV_HUGEPAGE) > 0;
            EXPECT_EQ(asked, asks) << ranks << " ranks";
        }
    }
}

TEST(Segment, HugePagesNeedNotBeThere) {
    SystemCalls calls;
    calls.madvise = [](void*, std::size_t, int) {
        errno = EINVAL;
        return -1;
    };
    auto segment = *Segment::create(layout_of(2), calls);
    EXPECT_TRUE(segment->reserve_pair(0, 1).ok());
    EXPECT_GE(memory_of(segment->descriptor()), 2 * layout_of(2).pair_bytes());
}

TEST(Segment, HasNoNameAndClosesItsDescriptor) {
    const auto files = names_in("/dev/shm");
    const auto descriptors = names_in("/proc/self/fd").size();
    {
        auto segment = *Segment::create(layout_of(4));
        EXPECT_EQ(names_in("/dev/shm"), files);
        EXPECT_EQ(names_in("/proc/self/fd").size(), descriptors + 1);
    }
    EXPECT_EQ(names_in("/proc/self/fd").size(), descriptors);
}

TEST(Segment, MemoryComesPairByPair) {
    const SegmentLayout layout = layout_of(16);
    auto segment = *Segment::create(layout);
    EXPECT_EQ(memory_of(segment->descriptor()), layout.control_bytes());
    ASSERT_TRUE(segment->reserve_pair(3, 9).ok());
    ASSERT_TRUE(segment->reserve_pair(9, 3).ok());  // the same pair
    EXPECT_EQ(memory_of(segment->descriptor()), layout.control_bytes() + 2 * layout.pair_bytes());
}

TEST(Segment, TwoMappingsAreOneMemory) {
    const SegmentLayout layout = layout_of(2);
    auto mine = *Segment::create(layout);
    auto theirs = Segment::attach(dup(mine->descriptor()), layout);
    ASSERT_TRUE(theirs.ok()) << theirs.status().text();
    mine->operations(1).publish({.sequence = 5, .count = 6});
    EXPECT_EQ((*theirs)->operations(1).latest()->count, 6u);
    EXPECT_TRUE((*theirs)->failure().publish({.code = xcclTimeout, .text = "late"}));
    EXPECT_EQ(mine->failure().read()->text, "late");
}

TEST(Segment, AnythingElseIsNotAttached) {
    const SegmentLayout layout = layout_of(2);
    auto larger = *Segment::create(layout_of(3));
    EXPECT_TRUE(says(Segment::attach(dup(larger->descriptor()), layout).status(), "bytes"));

    const int unsealed = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ASSERT_EQ(ftruncate(unsealed, static_cast<off_t>(layout.total_bytes())), 0);
    EXPECT_TRUE(says(Segment::attach(unsealed, layout).status(), "seals"));

    const int empty = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ASSERT_EQ(ftruncate(empty, static_cast<off_t>(layout.total_bytes())), 0);
    ASSERT_EQ(fcntl(empty, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    EXPECT_TRUE(says(Segment::attach(empty, layout).status(), "not a shared segment"));

    EXPECT_FALSE(Segment::attach(-1, layout).ok());
}

TEST(Segment, CannotBeShrunkOrGrown) {
    auto segment = *Segment::create(layout_of(2));
    EXPECT_NE(ftruncate(segment->descriptor(), 0), 0);
    EXPECT_NE(ftruncate(segment->descriptor(), 1 << 30), 0);
}

TEST(Segment, FileSizeLimitIsAnErrorAndNoSignal) {
    const LoweredLimit limit(RLIMIT_FSIZE, 65536);
    const Status status = Segment::create(layout_of(8)).status();
    EXPECT_EQ(status.code(), xcclSystemError);
    EXPECT_TRUE(says(status, "RLIMIT_FSIZE"));
    EXPECT_TRUE(says(status, "65536"));
}

TEST(Segment, DescriptorLimitIsNamed) {
    const LoweredLimit limit(RLIMIT_NOFILE, 1);
    const Status status = Segment::create(layout_of(2)).status();
    EXPECT_TRUE(says(status, "RLIMIT_NOFILE"));
    EXPECT_TRUE(says(status, "ulimit -n"));
}

TEST(Segment, RefusedMemoryIsAnErrorWhenThePairConnects) {
    static bool refuse;
    refuse = false;
    SystemCalls calls;
    calls.fallocate = [](int descriptor, int mode, off_t offset, off_t bytes) {
        if (!refuse) return ::fallocate(descriptor, mode, offset, bytes);
        errno = ENOSPC;
        return -1;
    };
    auto segment = *Segment::create(layout_of(2), calls);
    refuse = true;
    const Status status = segment->reserve_pair(0, 1);
    EXPECT_EQ(status.code(), xcclSystemError);
    EXPECT_TRUE(says(status, "fallocate: No space left on device"));
    EXPECT_TRUE(says(status, "memory limit"));
    EXPECT_TRUE(says(Segment::create(layout_of(2), calls).status(), "control blocks"));
}

TEST(Segment, InterruptedCallsAreRepeated) {
    static int interruptions;
    interruptions = 3;
    SystemCalls calls;
    calls.fallocate = [](int descriptor, int mode, off_t offset, off_t bytes) {
        if (interruptions-- <= 0) return ::fallocate(descriptor, mode, offset, bytes);
        errno = EINTR;
        return -1;
    };
    EXPECT_TRUE(Segment::create(layout_of(2), calls).ok());
}

TEST(Segment, NoAddressSpaceIsAnError) {
    SystemCalls calls;
    calls.mmap = [](void*, std::size_t, int, int, int, off_t) {
        errno = ENOMEM;
        return MAP_FAILED;
    };
    const auto descriptors = names_in("/proc/self/fd").size();
    EXPECT_TRUE(says(Segment::create(layout_of(2), calls).status(), "ulimit -v"));
    EXPECT_TRUE(says(Segment::create_private(layout_of(2), calls).status(), "ulimit -v"));
    EXPECT_EQ(names_in("/proc/self/fd").size(), descriptors);
}

TEST(Segment, NoMemfdIsAnError) {
    SystemCalls calls;
    calls.memfd_create = [](const char*, unsigned) {
        errno = ENOSYS;
        return -1;
    };
    EXPECT_TRUE(says(Segment::create(layout_of(2), calls).status(), "memfd_create"));
}

}  // namespace
}  // namespace xccl
