// Runs the ranks of a job until all have ended, and sees to it that all end once one fails.
//
//     running  --- a rank fails, the time is over, a signal to end --->  ending (SIGTERM)
//     ending   --- the grace period is over, a second signal ------->    killed (SIGKILL)
//
// One thread, one poll loop; signals arrive as readable data.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/owned_descriptor.h"
#include "base/status.h"
#include "xccl_run/guard.h"
#include "xccl_run/input_relay.h"
#include "xccl_run/line_relay.h"
#include "xccl_run/options.h"
#include "xccl_run/rank_process.h"

namespace xccl::run {

constexpr int kTimedOut = 124;     // exit status, as timeout(1) has it
constexpr int kCannotStart = 125;  // we, not the program

// "exited with status 3", "was ended by signal 9 (Killed)"; of what waitpid() tells.
std::string how_it_ended(int wait_status);
// What a shell would report.
int exit_status_of(int wait_status);

class Supervisor {
  public:
    explicit Supervisor(const Options& options);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    Supervisor(Supervisor&&) = delete;
    Supervisor& operator=(Supervisor&&) = delete;
    ~Supervisor() = default;

    // The exit status of xccl-run.
    int run();

  private:
    enum class Phase { kRunning, kEnding, kKilled };
    struct Rank {
        RankProcess process;
        bool running = false;
        LineSource output, errors;
    };
    struct Failure {
        int rank;
        int wait_status;
    };

    Status prepare();
    Status start_ranks();
    void add_rank(const RankSetting& setting);
    void turn();
    void read_output(OwnedDescriptor* pipe, LineSource* source);
    void take_signals();
    void take_signal(int number);
    void stop_and_go_on();
    void reap();
    void note_end(int rank, int wait_status);
    void blame();
    void begin_ending(int number);
    void kill_all();
    void check_time();
    void finish_output();
    void say(const std::string& text);
    Deadline next_deadline() const;

    const Options options_;
    sigset_t signal_mask_{};  // before us
    Result<Guard> guard_;
    Result<InputRelay> input_;
    OwnedDescriptor signals_, nothing_;
    LineSink output_, errors_;
    std::vector<Rank> ranks_;
    int running_ = 0;
    Phase phase_ = Phase::kRunning;
    std::optional<Failure> failure_;  // the first, as far as is known
    Deadline deadline_, verdict_, grace_;
    int exit_status_ = 0;
};

}  // namespace xccl::run
