// Goal: xccl-run sets its ranks' environment, passes input, output, signals and exit statuses on as
// its help says, and leaves no process behind, even when it is killed. Method: the program itself,
// with small shell programs as ranks. A pipe that every process of the job inherits tells when the
// last of them is gone: then it ends.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl::run {
namespace {

using Words = std::vector<std::string>;

constexpr int kPatienceMs = 20000;

// A running xccl-run, and all that it and its ranks write, on either stream.
class Job {
  public:
    explicit Job(const Words& words, const std::string& input = "") {
        int output[2];
        int source[2];
        EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
        EXPECT_EQ(pipe2(source, O_CLOEXEC), 0);
        EXPECT_EQ(write(source[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
        close(source[1]);
        process_ = fork();
        if (process_ == 0) become(words, source[0], output[1]);
        close(source[0]);
        close(output[1]);
        output_.reset(output[0]);
    }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() {
        if (process_ < 0) return;
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
    }

    void signal(int number) const { kill(process_, number); }

    // Reads until `text` has come `count` times.
    void wait_for(const std::string& text, int count = 1) {
        for (;;) {
            int found = 0;
            for (std::size_t at = 0; (at = said_.find(text, at)) != std::string::npos; ++at) {
                ++found;
            }
            if (found >= count) return;
            if (!read_some()) {
                ADD_FAILURE() << "did not say '" << text << "' but: " << said_;
                return;
            }
        }
    }
    // Until nobody is left who could write.
    const std::string& all_output() {
        while (read_some()) {
        }
        return said_;
    }
    // As a shell tells it.
    int exit_status() {
        int status = 0;
        EXPECT_EQ(waitpid(process_, &status, 0), process_);
        process_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    Words lines() {
        Words result;
        std::istringstream stream(all_output());
        for (std::string line; std::getline(stream, line);) result.push_back(line);
        return result;
    }

  private:
    [[noreturn]] static void become(const Words& words, int input, int output) {
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        std::vector<char*> arguments{const_cast<char*>(XCCL_RUN)};
        for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        execv(XCCL_RUN, arguments.data());
        _exit(99);
    }

    bool read_some() {
        pollfd item{output_.get(), POLLIN, 0};
        if (poll(&item, 1, kPatienceMs) <= 0) {
            ADD_FAILURE() << "still running, silent after: " << said_;
            return false;
        }
        char bytes[4096];
        const ssize_t count = read(output_.get(), bytes, sizeof bytes);
        if (count > 0) said_.append(bytes, static_cast<std::size_t>(count));
        return count > 0;
    }

    pid_t process_;
    OwnedDescriptor output_;
    std::string said_;
};

Words ranks(int count, const std::string& script) {
    return {"-n", std::to_string(count), "sh", "-c", script};
}

TEST(XcclRun, Environment) {
    Job job(ranks(3, "echo $XCCL_RANK/$XCCL_SIZE $XCCL_LOCAL_RANK/$XCCL_LOCAL_SIZE $XCCL_JOB_ID"));
    std::set<std::string> places;
    std::set<std::string> ids;
    for (const std::string& line : job.lines()) {
        places.insert(line.substr(0, 7));
        ids.insert(line.substr(8));
    }
    EXPECT_EQ(job.exit_status(), 0);
    EXPECT_EQ(places, (std::set<std::string>{"0/3 0/3", "1/3 1/3", "2/3 2/3"}));
    ASSERT_EQ(ids.size(), 1U);
    EXPECT_EQ(ids.begin()->size(), 81U);
    EXPECT_EQ(ids.begin()->find_first_not_of("0123456789abcdef:"), std::string::npos);
    Job other(ranks(1, "echo $XCCL_JOB_ID"));
    EXPECT_NE(other.lines()[0], *ids.begin());
    EXPECT_EQ(other.exit_status(), 0);
}

TEST(XcclRun, InputIsRank0s) {
    Job job(ranks(3, "cat"), "once\n");
    EXPECT_EQ(job.all_output(), "once\n");
    EXPECT_EQ(job.exit_status(), 0);
}

TEST(XcclRun, PrefixesWholeLines) {
    Words words = ranks(4,
                        "for i in 1 2 3; do printf 'a%s' $i; echo b; done; printf end; "
                        "echo oops >&2");
    words.insert(words.begin(), "--prefix");
    Job job(words);
    Words lines = job.lines();
    EXPECT_EQ(job.exit_status(), 0);
    Words expected;
    for (const char* rank : {"[0] ", "[1] ", "[2] ", "[3] "}) {
        for (const char* text : {"a1b", "a2b", "a3b", "end", "oops"}) {
            expected.push_back(std::string(rank) + text);
        }
    }
    std::sort(lines.begin(), lines.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(lines, expected);
}

TEST(XcclRun, LargeOutputComesWholeAndInOrder) {
    Words words = ranks(2, "seq 1 20000");
    words.insert(words.begin(), "--prefix");
    Job job(words);
    int next[2] = {1, 1};
    for (const std::string& line : job.lines()) {
        const int rank = line[1] - '0';
        ASSERT_EQ(line, fmt::format("[{}] {}", rank, next[rank]++));
    }
    EXPECT_EQ(next[0] + next[1], 2 * 20001);
    EXPECT_EQ(job.exit_status(), 0);
}

TEST(XcclRun, AFailureEndsAllAndIsNamed) {
    Job job(ranks(4, "test $XCCL_RANK = 2 && exit 7; sleep 1000"));
    EXPECT_NE(job.all_output().find("xccl-run: rank 2 of 4 (sh, process "), std::string::npos);
    EXPECT_NE(job.all_output().find(") exited with status 7; ending the others\n"),
              std::string::npos);
    EXPECT_EQ(std::count(job.all_output().begin(), job.all_output().end(), '\n'), 1);
    EXPECT_EQ(job.exit_status(), 7);
}

TEST(XcclRun, ADeadlySignalIsNamed) {
    Job job(ranks(2, "test $XCCL_RANK = 1 && kill -9 $$; sleep 1000"));
    EXPECT_NE(job.all_output().find("was ended by signal 9 (Killed); ending the others"),
              std::string::npos);
    EXPECT_EQ(job.exit_status(), 128 + 9);
}

// A rank that hears of a death exits before the dead one's memory is given back.
TEST(XcclRun, ADeathIsTheCauseOfAnExitJustBefore) {
    Job job(ranks(3, "case $XCCL_RANK in 0) exit 5;; 1) sleep 0.02; kill -9 $$;; esac; sleep 60"));
    const std::string& said = job.all_output();
    EXPECT_NE(said.find("xccl-run: rank 1 of 3"), std::string::npos) << said;
    EXPECT_EQ(said.find("xccl-run: rank 0"), std::string::npos) << said;
    EXPECT_EQ(job.exit_status(), 128 + SIGKILL);
}

TEST(XcclRun, OneRankThatFailsLast) {
    Job job(ranks(1, "exit 3"));
    EXPECT_EQ(job.all_output().find("ending the others"), std::string::npos);
    EXPECT_EQ(job.exit_status(), 3);
}

TEST(XcclRun, WhoeverIgnoresTheRequestIsKilledAfterTheGracePeriod) {
    Words words = ranks(3, "test $XCCL_RANK = 1 && exit 4; trap '' TERM; sleep 1000; sleep 1000");
    words.insert(words.begin(), "--grace=0.1");
    Job job(words);
    EXPECT_NE(job.all_output().find("exited with status 4; ending the others"), std::string::npos);
    EXPECT_EQ(job.exit_status(), 4);
}

TEST(XcclRun, KilledAfterTheGracePeriodIsSaid) {
    Words words = ranks(2, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
    words.insert(words.begin(), {"--grace", "0.1"});
    Job job(words);
    job.wait_for("ready\n", 2);
    job.signal(SIGTERM);
    EXPECT_NE(job.all_output().find("did not end within 0.1 s and will be killed: rank 0 1\n"),
              std::string::npos)
        << job.all_output();
    EXPECT_EQ(job.exit_status(), 128 + 9);
}

TEST(XcclRun, ASecondSignalKillsAtOnce) {
    Words words = ranks(2, "trap '' INT TERM; echo ready; while :; do sleep 0.05; done");
    words.insert(words.begin(), {"--grace", "1000"});
    Job job(words);
    job.wait_for("ready\n", 2);
    job.signal(SIGINT);
    job.wait_for("Interrupt: ending the ranks\n");
    job.signal(SIGINT);
    job.all_output();
    EXPECT_EQ(job.exit_status(), 128 + 9);
}

TEST(XcclRun, SignalsArePassedOn) {
    for (const auto& [number, name] : {std::pair{SIGTERM, "TERM"}, std::pair{SIGINT, "INT"},
                                       std::pair{SIGHUP, "HUP"}, std::pair{SIGQUIT, "QUIT"}}) {
        const std::string trap = fmt::format("trap 'echo got {}; exit 5' {}; ", name, name);
        Job job(ranks(2, trap + "echo ready; while :; do sleep 0.01; done"));
        job.wait_for("ready\n", 2);
        job.signal(number);
        job.wait_for(std::string("got ") + name, 2);
        job.all_output();
        EXPECT_EQ(job.exit_status(), 5) << name;
    }
}

TEST(XcclRun, SomeSignalsEndNothing) {
    Job job(ranks(2,
                  "trap 'echo got' USR1; trap 'exit 0' USR2; echo ready; "
                  "while :; do sleep 0.01; done"));
    job.wait_for("ready\n", 2);
    job.signal(SIGUSR1);
    job.wait_for("got\n", 2);
    job.signal(SIGUSR2);
    job.all_output();
    EXPECT_EQ(job.exit_status(), 0);
}

TEST(XcclRun, StoppedRanksEndToo) {
    Job job(ranks(2, "test $XCCL_RANK = 0 && { echo stopping; kill -STOP $$; }; sleep 1000"));
    job.wait_for("stopping");
    job.signal(SIGTERM);
    job.all_output();
    EXPECT_EQ(job.exit_status(), 128 + SIGTERM);
}

TEST(XcclRun, Timeout) {
    Words words = ranks(2, "test $XCCL_RANK = 0 || sleep 1000");
    words.insert(words.begin(), {"--timeout", "0.2"});
    Job job(words);
    EXPECT_EQ(job.all_output(), "xccl-run: 1 of 2 ranks still run after 0.2 s; ending them\n");
    EXPECT_EQ(job.exit_status(), 124);
}

TEST(XcclRun, ProgramsThatCannotRun) {
    Job missing({"-n", "3", "no-such-program"});
    EXPECT_EQ(missing.all_output(),
              "xccl-run: cannot run no-such-program: exec: No such file or directory (errno 2)\n");
    EXPECT_EQ(missing.exit_status(), 127);
    Job not_executable({"-n", "3", "/dev/null"});
    EXPECT_EQ(not_executable.all_output(),
              "xccl-run: cannot run /dev/null: exec: Permission denied (errno 13)\n");
    EXPECT_EQ(not_executable.exit_status(), 126);
}

TEST(XcclRun, WrongOptions) {
    Job job({"--rank", "3", "true"});
    EXPECT_EQ(job.all_output(),
              "xccl-run: unknown option --rank; did you mean --ranks? (options of the program "
              "follow its name)\nTry xccl-run --help.\n");
    EXPECT_EQ(job.exit_status(), 2);
}

TEST(XcclRun, Help) {
    Job job({"--help"});
    EXPECT_EQ(job.all_output().find("Runs a program N times on this machine"), 0U);
    EXPECT_EQ(job.exit_status(), 0);
}

// The output ends only when every process of the job, grandchildren included, is gone.
TEST(XcclRun, KillingItLeavesNobody) {
    Job job(ranks(3, "sleep 1000 & echo ready; sleep 1000"));
    job.wait_for("ready\n", 3);
    job.signal(SIGKILL);
    job.all_output();
    EXPECT_EQ(job.exit_status(), 128 + 9);
}

TEST(XcclRun, NobodyIsLeftInTheBackground) {
    Job job(ranks(2, "sleep 1000 & echo done"));
    EXPECT_EQ(job.all_output(), "done\ndone\n");
    EXPECT_EQ(job.exit_status(), 0);
}

TEST(XcclRun, AReaderWhoLeavesEndsTheJob) {
    // As "xccl-run ... | head -1": the ranks' writes fail, as they would without us between.
    Words words{"-c", fmt::format("{} --prefix -n 2 yes | head -n 1; echo over", XCCL_RUN)};
    Job job({"-n", "1", "sh", "-c", words[1]});
    job.wait_for("] y\n");
    job.wait_for("over\n");
    job.all_output();
    EXPECT_EQ(job.exit_status(), 0);
}

TEST(XcclRun, ManyRanks) {
    Job job(ranks(64, "echo here"));
    EXPECT_EQ(job.lines().size(), 64U);
    EXPECT_EQ(job.exit_status(), 0);
}

}  // namespace
}  // namespace xccl::run
