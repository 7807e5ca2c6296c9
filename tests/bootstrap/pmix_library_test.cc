// Goal: what is declared of PMIx's interface is laid out as PMIx lays it out. Method: compared with
// the header of the PMIx that is installed, if there is one; and the library is opened.
#include "bootstrap/pmix_library.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#if __has_include(<pmix.h>)
#include <pmix.h>
#endif

namespace xccl::pmix {
namespace {

TEST(PmixLibrary, LayoutsAreThoseOfTheInstalledHeader) {
#if __has_include(<pmix.h>)
    EXPECT_EQ(sizeof(Process), sizeof(pmix_proc_t));
    EXPECT_EQ(offsetof(Process, rank), offsetof(pmix_proc_t, rank));
    EXPECT_EQ(sizeof(Value), sizeof(pmix_value_t));
    EXPECT_EQ(offsetof(Value, data), offsetof(pmix_value_t, data));
    EXPECT_EQ(sizeof(Info), sizeof(pmix_info_t));
    EXPECT_EQ(offsetof(Info, flags), offsetof(pmix_info_t, flags));
    EXPECT_EQ(offsetof(Info, value), offsetof(pmix_info_t, value));
    EXPECT_EQ(int{kBool}, PMIX_BOOL);
    EXPECT_EQ(int{kString}, PMIX_STRING);
    EXPECT_EQ(int{kUint16}, PMIX_UINT16);
    EXPECT_EQ(int{kUint32}, PMIX_UINT32);
    EXPECT_EQ(int{kEverywhere}, PMIX_GLOBAL);
    EXPECT_EQ(kSucceededAtOnce, PMIX_OPERATION_SUCCEEDED);
    EXPECT_EQ(kAnyRank, PMIX_RANK_WILDCARD);
    EXPECT_STREQ(kJobSize, PMIX_JOB_SIZE);
    EXPECT_STREQ(kLocalSize, PMIX_LOCAL_SIZE);
    EXPECT_STREQ(kLocalRank, PMIX_LOCAL_RANK);
    EXPECT_STREQ(kCollectData, PMIX_COLLECT_DATA);
#else
    GTEST_SKIP() << "needs pmix.h (package libpmix-dev)";
#endif
}

bool opens_or_says_why_not() {
    const Result<Library> library = open_library();
    if (!library.ok()) return library.status().text().find("libpmix.so.2") != std::string::npos;
    return library->fence != nullptr && std::string(library->error_text(0)) != "";
}

// In a process of its own: it stays open.
TEST(PmixLibrary, OpensOrSaysWhyNot) {
    EXPECT_EXIT(_exit(opens_or_says_why_not() ? 0 : 1), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace xccl::pmix
