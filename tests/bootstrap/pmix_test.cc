// Goal: what PMIx launchers offer is used as the standard says, its failures and silences become
// clear errors, and the connection is finalised by the process that made it and by no child.
// Method: a false libpmix.so.2 (fake_pmix.cc), loaded before ours is looked for, in processes of
// their own. Real launchers: tests/launch/.
#include "bootstrap/pmix.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace xccl {
namespace {

// Runs `body` in a process that thinks that a PMIx launcher started it as `rank`. What it returns
// goes to standard error, and so does "finalized" when the process ends.
template <typename Body>
void with_pmix(const char* rank, const char* spoilt, const char* expected, Body body) {
    EXPECT_EXIT(
        {
            setenv("PMIX_RANK", rank, 1);
            setenv("PMIX_NAMESPACE", "fake", 1);
            setenv("FAKE_PMIX", spoilt, 1);
            if (dlopen(FAKE_PMIX_LIBRARY, RTLD_NOW) == nullptr) _exit(3);
            const std::string said = body();
            std::fprintf(stderr, "[%s] ", said.c_str());
            std::exit(0);
        },
        testing::ExitedWithCode(0), expected)
        << spoilt;
}

std::string from_rank_0(const char* key, const char* value, int patience_ms = 5000) {
    Pmix* const pmix = Pmix::of_this_process();
    if (pmix == nullptr) return "no PMIx";
    const auto found = pmix->from_rank_0(key, value, Deadline::after_ms(patience_ms));
    return found.ok() ? *found : found.status().text();
}

std::string standing() {
    Pmix* const pmix = Pmix::of_this_process();
    if (pmix == nullptr) return "no PMIx";
    const auto standing = pmix->standing();
    if (!standing) return "no standing";
    return fmt::format("{} of {}, {} of {} here", pmix->rank(), standing->size,
                       standing->local_rank, standing->local_size);
}

TEST(Pmix, IsNotThereWithoutALauncher) {
    EXPECT_EXIT(
        {
            unsetenv("PMIX_RANK");
            unsetenv("PMIX_NAMESPACE");
            _exit(Pmix::of_this_process() == nullptr ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

TEST(Pmix, ValuesOfRank0) {
    with_pmix("0", "", "^\\[hello\\] finalized\n$", [] { return from_rank_0("key", "hello"); });
    with_pmix("2", "", "^\\[a value\\] finalized\n$",
              [] { return from_rank_0("from the launcher", "of no interest"); });
}

TEST(Pmix, Standing) {
    with_pmix("5", "", "\\[5 of 8, 1 of 4 here\\]", standing);
    with_pmix("5", "has nothing", "\\[no standing\\]", standing);
}

TEST(Pmix, RefusalIsNoPmix) {
    with_pmix("0", "refuses", "^\\[no PMIx\\] $", standing);
}

TEST(Pmix, FailuresAreTold) {
    with_pmix("1", "has nothing", "PMIx get failed: NOT-FOUND",
              [] { return from_rank_0("key", ""); });
    with_pmix("1", "never meets", "not all processes of the job came to PMIx's fence in time",
              [] { return from_rank_0("key", "", 20); });
    with_pmix("1", "answers late", "PMIx did not answer in time when asked for key",
              [] { return from_rank_0("key", "", 20); });
}

TEST(Pmix, AForkedChildDoesNotFinalise) {
    with_pmix("0", "", "^\\[child gone\\] finalized\n$", [] {
        from_rank_0("key", "hello");
        const pid_t child = fork();
        if (child == 0) std::exit(0);
        waitpid(child, nullptr, 0);
        return std::string("child gone");
    });
}

}  // namespace
}  // namespace xccl
