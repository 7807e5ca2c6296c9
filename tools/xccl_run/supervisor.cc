#include "xccl_run/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "trust/secret.h"

namespace xccl::run {
namespace {

constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int kPassedOnSignals[] = {SIGUSR1, SIGUSR2, SIGWINCH};

bool ends_the_job(int number) {
    return std::find(std::begin(kEndingSignals), std::end(kEndingSignals), number) !=
           std::end(kEndingSignals);
}

bool is_ignored(int number) {
    struct sigaction action {};
    return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// What somebody chose to ignore (as nohup does) stays ignored, here and in the ranks.
sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (!is_ignored(SIGTSTP)) sigaddset(&set, SIGTSTP);
    for (const int number : kEndingSignals) {
        if (!is_ignored(number)) sigaddset(&set, number);
    }
    for (const int number : kPassedOnSignals) {
        if (!is_ignored(number)) sigaddset(&set, number);
    }
    return set;
}

std::string make_job_id() {
    std::uint8_t name[8];
    random_bytes(name, sizeof name);
    const Secret secret = make_secret();
    const auto hex = [](const std::uint8_t* bytes, std::size_t size) {
        return to_hex({reinterpret_cast<const char*>(bytes), size});
    };
    return hex(name, sizeof name) + ":" + hex(secret.data(), secret.size());
}

Deadline after_seconds(double seconds) {
    return Deadline::after_ms(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

std::string how_it_ended(int wait_status) {
    if (WIFEXITED(wait_status)) {
        return fmt::format("exited with status {}", WEXITSTATUS(wait_status));
    }
    const int number = WTERMSIG(wait_status);
    return fmt::format("was ended by signal {} ({}){}", number, strsignal(number),
                       WCOREDUMP(wait_status) ? ", core dumped" : "");
}

int exit_status_of(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

Supervisor::Supervisor(const Options& options)
    : options_(options),
      guard_(ok_status()),
      input_(ok_status()),
      output_(STDOUT_FILENO),
      errors_(STDERR_FILENO),
      deadline_(options.timeout_s > 0 ? after_seconds(options.timeout_s) : Deadline::never()),
      verdict_(Deadline::never()),
      grace_(Deadline::never()) {}

int Supervisor::run() {
    const Status prepared = prepare();
    if (!prepared.ok()) {
        say(prepared.text());
        return kCannotStart;
    }
    const Status started = start_ranks();
    if (!started.ok()) {
        say(started.text());
        kill_all();
    }
    while (running_ > 0) turn();
    guard_->end();
    finish_output();
    return exit_status_;
}

Status Supervisor::prepare() {
    sigset_t blocked = our_signals();
    sigset_t received = blocked;
    sigaddset(&blocked, SIGPIPE);  // told by write()
    sigprocmask(SIG_BLOCK, &blocked, &signal_mask_);
    signals_.reset(signalfd(-1, &received, SFD_CLOEXEC | SFD_NONBLOCK));
    nothing_.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!signals_ || !nothing_) return system_error("{}", errno_text("open", errno));
    input_ = InputRelay::start();
    XCCL_TRY(input_);
    guard_ = Guard::start();
    return guard_.status();
}

Status Supervisor::start_ranks() {
    ranks_.reserve(static_cast<std::size_t>(options_.ranks));
    RankSetting setting;
    setting.size = options_.ranks;
    setting.job_id = make_job_id();
    setting.group = guard_->group();
    setting.relayed = options_.prefix;
    setting.signal_mask = signal_mask_;
    for (int rank = 0; rank < options_.ranks; ++rank) {
        setting.rank = rank;
        setting.input = rank == 0 ? input_->for_rank_0() : nothing_.get();
        exit_status_ = kCannotStart;
        if (options_.bind) {
            XCCL_ASSIGN(setting.cpus, share_of_cpus(rank, options_.ranks));
        }
        const std::string prefix = fmt::format("[{}] ", rank);
        ranks_.push_back({{}, false, {prefix, &output_}, {prefix, &errors_}});
        Rank& started = ranks_.back();
        const auto failure = start_rank(options_.command, setting, &started.process);
        started.running = started.process.process > 0;
        running_ += started.running;
        if (failure) {
            exit_status_ = failure->exit_status;
            return failure->status;
        }
        if (rank == 0) input_->close_reader();
    }
    exit_status_ = 0;
    return ok_status();
}

// ---- The loop -------------------------------------------------------------------------------

void Supervisor::turn() {
    std::vector<pollfd> items{{signals_.get(), POLLIN, 0},
                              {input_->wants_read(), POLLIN, 0},
                              {input_->wants_write(), POLLOUT, 0},
                              {output_.wants_write() ? output_.descriptor() : -1, POLLOUT, 0},
                              {errors_.wants_write() ? errors_.descriptor() : -1, POLLOUT, 0}};
    const std::size_t first_pipe = items.size();
    if (options_.prefix) {
        for (const Rank& rank : ranks_) {
            const bool hears = !output_.is_full() && !errors_.is_full();
            items.push_back({hears ? rank.process.output.get() : -1, POLLIN, 0});
            items.push_back({hears ? rank.process.errors.get() : -1, POLLIN, 0});
        }
    }
    poll(items.data(), items.size(), next_deadline().poll_timeout_ms());
    if (items[1].revents != 0) input_->read_some();
    if (items[2].revents != 0) input_->write_some();
    if (items[3].revents != 0) output_.write_some();
    if (items[4].revents != 0) errors_.write_some();
    for (std::size_t i = first_pipe; i < items.size(); i += 2) {
        Rank& rank = ranks_[(i - first_pipe) / 2];
        if (items[i].revents != 0) read_output(&rank.process.output, &rank.output);
        if (items[i + 1].revents != 0) read_output(&rank.process.errors, &rank.errors);
    }
    if (items[0].revents != 0) take_signals();
    check_time();
}

void Supervisor::read_output(OwnedDescriptor* pipe, LineSource* source) {
    char bytes[16384];
    const ssize_t count = read(pipe->get(), bytes, sizeof bytes);
    if (count > 0) source->take({bytes, static_cast<std::size_t>(count)});
    const bool ended = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
    if (ended) source->finish();
    // Once nobody reads what we write, the ranks shall see that as if they wrote there themselves.
    if (ended || source->sink()->is_closed()) pipe->reset();
}

void Supervisor::take_signals() {
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof info) == sizeof info) {
        take_signal(static_cast<int>(info.ssi_signo));
    }
}

void Supervisor::take_signal(int number) {
    if (number == SIGCHLD) {
        reap();
    } else if (number == SIGTSTP) {
        stop_and_go_on();
    } else if (!ends_the_job(number)) {
        guard_->signal(number);
    } else if (phase_ == Phase::kRunning) {
        say(fmt::format("{}: ending the ranks", strsignal(number)));
        begin_ending(number);
    } else {
        kill_all();  // asked for twice
    }
}

// The terminal's Ctrl-Z reaches us alone.
void Supervisor::stop_and_go_on() {
    guard_->signal(SIGTSTP);
    raise(SIGSTOP);
    guard_->signal(SIGCONT);
}

void Supervisor::reap() {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        int wait_status = 0;
        if (!ranks_[rank].running) continue;
        if (waitpid(ranks_[rank].process.process, &wait_status, WNOHANG) <= 0) continue;
        ranks_[rank].running = false;
        --running_;
        note_end(static_cast<int>(rank), wait_status);
    }
    if (running_ == 0 && failure_ && phase_ == Phase::kRunning) blame();
}

// Whoever learns of a death may be gone sooner than the dead rank, whose memory is given back
// first: a signal within this time is the cause, an exit before it the consequence.
constexpr double kVerdictSeconds = 0.1;

void Supervisor::note_end(int rank, int wait_status) {
    if (wait_status == 0) return;
    if (phase_ != Phase::kRunning) {  // it was told to end
        if (exit_status_ == 0) exit_status_ = exit_status_of(wait_status);
        return;
    }
    const bool by_signal = WIFSIGNALED(wait_status);
    if (!failure_) verdict_ = after_seconds(kVerdictSeconds);
    if (!failure_ || by_signal) failure_ = Failure{rank, wait_status};
    if (by_signal) blame();
}

void Supervisor::blame() {
    const auto [rank, wait_status] = *failure_;
    exit_status_ = exit_status_of(wait_status);
    say(fmt::format("rank {} of {} ({}, process {}) {}{}", rank, options_.ranks,
                    options_.command[0], ranks_[static_cast<std::size_t>(rank)].process.process,
                    how_it_ended(wait_status), running_ > 0 ? "; ending the others" : ""));
    begin_ending(SIGTERM);
}

void Supervisor::begin_ending(int number) {
    phase_ = Phase::kEnding;
    grace_ = after_seconds(options_.grace_s);
    guard_->signal(number);
    guard_->signal(SIGCONT);  // who is stopped must go on to end
}

void Supervisor::kill_all() {
    phase_ = Phase::kKilled;
    guard_->signal(SIGKILL);
    for (const Rank& rank : ranks_) {
        if (rank.running) kill(rank.process.process, SIGKILL);  // it may have left the group
    }
}

void Supervisor::check_time() {
    if (phase_ == Phase::kRunning && deadline_.passed() && running_ > 0) {
        exit_status_ = kTimedOut;
        say(fmt::format("{} of {} ranks still run after {:g} s; ending them", running_,
                        options_.ranks, options_.timeout_s));
        begin_ending(SIGTERM);
    } else if (phase_ == Phase::kRunning && failure_ && verdict_.passed()) {
        blame();
    } else if (phase_ == Phase::kEnding && grace_.passed() && running_ > 0) {
        std::string late;
        for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
            if (ranks_[rank].running) late += fmt::format(" {}", rank);
        }
        say(fmt::format("did not end within {:g} s and will be killed: rank{}", options_.grace_s,
                        late));
        kill_all();
    }
}

Deadline Supervisor::next_deadline() const {
    return phase_ == Phase::kRunning  ? (failure_ ? verdict_ : deadline_)
           : phase_ == Phase::kEnding ? grace_
                                      : Deadline::never();
}

// Nobody of the job writes any more, except who has left its group: for those nobody waits.
void Supervisor::finish_output() {
    for (Rank& rank : ranks_) {
        for (auto [pipe, source] : {std::pair{&rank.process.output, &rank.output},
                                    std::pair{&rank.process.errors, &rank.errors}}) {
            pollfd item{pipe->get(), POLLIN, 0};
            while (*pipe && poll(&item, 1, 0) > 0) read_output(pipe, source);
            source->finish();
        }
    }
    for (LineSink* sink : {&output_, &errors_}) {
        while (sink->wants_write()) {
            pollfd items[2] = {{sink->descriptor(), POLLOUT, 0}, {signals_.get(), POLLIN, 0}};
            poll(items, 2, -1);
            if (items[0].revents != 0) sink->write_some();
            signalfd_siginfo info{};
            if (items[1].revents != 0 && read(signals_.get(), &info, sizeof info) > 0 &&
                ends_the_job(static_cast<int>(info.ssi_signo))) {
                return;  // the reader may never come back
            }
        }
    }
}

void Supervisor::say(const std::string& text) {
    if (options_.prefix) {
        errors_.put("xccl-run: ", text);  // after what was written before
    } else {
        const std::string line = "xccl-run: " + text + "\n";
        (void)!write(STDERR_FILENO, line.data(), line.size());
    }
}

}  // namespace xccl::run
