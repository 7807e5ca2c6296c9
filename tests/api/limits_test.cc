// Goal: a rank that the system refuses something says in one line what, and what to do; no other
// rank hangs; nothing is left behind.
// Method: real limits of a rank's process (descriptors, file size), and a seccomp filter that
// refuses fallocate, set just before it joins. All limits on descriptors are tried, so that each
// place that needs one is refused in turn.
// Covers: comm/initialise.cc comm/communicator.cc

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <set>

#include "instrumented.h"
#include "stages.h"

namespace xccl::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInitTimeoutMs = "700";

// A folder of its own for whatever the ranks might leave behind.
class Limits : public testing::Test {
  protected:
    Limits() {
        std::string name = fs::temp_directory_path() / "xccl-limits-XXXXXX";
        folder_ = mkdtemp(name.data());
        temporary_ = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
        setenv("TMPDIR", folder_.c_str(), 1);
        setenv("XCCL_INIT_TIMEOUT_MS", kInitTimeoutMs, 1);
    }
    ~Limits() override {
        EXPECT_TRUE(fs::is_empty(folder_));
        EXPECT_EQ(shared_files(), shared_files_);
        fs::remove_all(folder_);
        setenv("TMPDIR", temporary_.c_str(), 1);
    }

    static std::set<std::string> shared_files() {
        std::set<std::string> names;
        std::error_code none;
        for (const auto& entry : fs::directory_iterator("/dev/shm", none)) {
            const std::string name = entry.path().filename();
            if (name.find("xccl") != std::string::npos) names.insert(name);
        }
        return names;
    }

    fs::path folder_;
    std::string temporary_;
    const std::set<std::string> shared_files_ = shared_files();
};

xcclResult_t all_reduce(int, xcclComm_t comm) {
    std::vector<float> x(1000, 1);
    const xcclResult_t result =
        xcclAllReduce(x.data(), x.data(), x.size(), xcclFloat32, xcclSum, comm, nullptr);
    return result == xcclSuccess ? xcclCommFinalize(comm) : result;
}

void lower(__rlimit_resource resource, rlim_t value) {
    rlimit limit{};
    getrlimit(resource, &limit);
    limit.rlim_cur = value;
    if (setrlimit(resource, &limit) != 0) _exit(2);
}

// From here on the kernel answers fallocate with ENOSPC.
void refuse_fallocate() {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{std::size(code), code};
    const bool refused = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    if (!refused) _exit(2);
}

void expect_line(const Verdict& verdict, xcclResult_t result, const std::vector<std::string>& words,
                 const std::string& who) {
    EXPECT_EQ(verdict.result, result) << who << ": " << verdict.text;
    EXPECT_EQ(verdict.text.find('\n'), std::string::npos) << verdict.text;
    for (const std::string& word : words) {
        EXPECT_NE(verdict.text.find(word), std::string::npos)
            << who << ": '" << word << "' is not in: " << verdict.text;
    }
}

TEST_F(Limits, FileSizeIsToldToAll) {
    Play play(Stage::kProcesses, 3, all_reduce, [](int rank) {
        if (rank == 0) lower(RLIMIT_FSIZE, 65536);  // the lowest rank makes the segment
    });
    const auto verdicts = play.verdicts();
    expect_line(verdicts[0], xcclSystemError, {"RLIMIT_FSIZE", "ulimit -f", "65536"}, "rank 0");
    for (int rank : {1, 2}) {
        expect_line(verdicts[rank], xcclSystemError, {"rank 0", "RLIMIT_FSIZE"}, "another rank");
    }
}

TEST_F(Limits, NoMemoryForTheSegmentIsToldToAll) {
    Play play(Stage::kProcesses, 3, all_reduce, [](int rank) {
        if (rank == 0) refuse_fallocate();
    });
    const auto verdicts = play.verdicts();
    const std::vector<std::string> words{"no memory for the shared segment", "No space left",
                                         "memory limit"};
    for (const Verdict& verdict : verdicts) expect_line(verdict, xcclSystemError, words, "a rank");
    for (int rank : {1, 2}) expect_line(verdicts[rank], xcclSystemError, {"rank 0"}, "another");
}

// The mailboxes of a pair get their memory when it is first used: the others are in the call by
// then.
TEST_F(Limits, NoMemoryForMailboxesIsToldToAll) {
    Play play(Stage::kProcesses, 3, all_reduce, [](int rank) {
        if (rank == 2) refuse_fallocate();
    });
    for (const Verdict& verdict : play.verdicts()) {
        expect_line(verdict, xcclSystemError,
                    {"rank 2", "no memory for the mailboxes between two ranks", "memory limit"},
                    "a rank");
        EXPECT_LT(verdict.ms, 1000L * kSlowness);
    }
}

// Whoever cannot even come is missed when the time is over.
void check_few_descriptors(Stage stage, int limit, const std::vector<Verdict>& verdicts) {
    const std::string who = name_of(stage) + ", limit " + std::to_string(limit) + ", rank ";
    const Verdict &other = verdicts[0], &limited = verdicts[1];
    if (limited.result == xcclSuccess) {
        EXPECT_EQ(other.result, xcclSuccess) << who << "0: " << other.text;
        return;
    }
    expect_line(limited, xcclSystemError, {"RLIMIT_NOFILE", "ulimit -n"}, who + "1");
    if (other.result == xcclTimeout) {
        expect_line(other, xcclTimeout, {"1"}, who + "0");
    } else {
        EXPECT_TRUE(other.result == xcclSystemError || other.result == xcclRemoteError)
            << who << "0: " << other.text;
        expect_line(other, other.result, {"rank 1"}, who + "0");
    }
}

TEST_F(Limits, FewDescriptorsAreNamedWhereverTheyRunOut) {
    constexpr int kAtOnce = 7, kHighest = 31;
    for (const Stage stage : {Stage::kProcesses, Stage::kTcp}) {
        int refused = 0, granted = 0;
        for (int first = 4; first < kHighest; first += kAtOnce) {
            std::vector<std::unique_ptr<Play>> plays;
            for (int limit = first; limit < first + kAtOnce; ++limit) {
                plays.push_back(std::make_unique<Play>(stage, 2, all_reduce, [limit](int rank) {
                    if (rank == 1) lower(RLIMIT_NOFILE, static_cast<rlim_t>(limit));
                }));
            }
            for (int i = 0; i < kAtOnce; ++i) {
                const auto verdicts = plays[i]->verdicts();
                check_few_descriptors(stage, first + i, verdicts);
                ++(verdicts[1].result == xcclSuccess ? granted : refused);
            }
        }
        EXPECT_GT(refused, 0);
        EXPECT_GT(granted, 0);
    }
}

}  // namespace
}  // namespace xccl::test
