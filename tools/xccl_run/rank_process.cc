#include "xccl_run/rank_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace xccl::run {
namespace {

struct Pipe {
    OwnedDescriptor reader, writer;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return system_error("{}", errno_text("pipe", errno));
    return Pipe{OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
}

void set_number(const char* name, int value) {
    setenv(name, std::to_string(value).c_str(), 1);
}

void set_environment(const RankSetting& setting) {
    set_number("XCCL_RANK", setting.rank);
    set_number("XCCL_SIZE", setting.size);
    set_number("XCCL_LOCAL_RANK", setting.rank);
    set_number("XCCL_LOCAL_SIZE", setting.size);
    setenv("XCCL_JOB_ID", setting.job_id.c_str(), 1);
}

// In the child, which has one thread. Returns only if something fails.
void become_rank(const std::vector<std::string>& command, const RankSetting& setting,
                 const Pipe& output, const Pipe& errors, pid_t parent) {
    setpgid(0, setting.group);
    // Together with the guard: a rank that has left the group ends with us too.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // it was too late for the signal
    if (setting.cpus && sched_setaffinity(0, sizeof(cpu_set_t), &*setting.cpus) != 0) return;
    if (dup2(setting.input, STDIN_FILENO) < 0) return;
    if (setting.relayed && (dup2(output.writer.get(), STDOUT_FILENO) < 0 ||
                            dup2(errors.writer.get(), STDERR_FILENO) < 0)) {
        return;
    }
    set_environment(setting);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    sigprocmask(SIG_SETMASK, &setting.signal_mask, nullptr);
    execvp(arguments[0], arguments.data());
}

std::optional<StartFailure> failed(Status status, int exit_status = 126) {
    return StartFailure{std::move(status), exit_status};
}

void set_non_blocking(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

}  // namespace

std::optional<StartFailure> start_rank(const std::vector<std::string>& command,
                                       const RankSetting& setting, RankProcess* started) {
    Result<Pipe> output = Pipe{};
    Result<Pipe> errors = Pipe{};
    if (setting.relayed) {
        output = make_pipe();
        errors = make_pipe();
    }
    Result<Pipe> failure = make_pipe();  // closed by a successful exec, else brings its errno
    for (const auto* pipe : {&output, &errors, &failure}) {
        if (!pipe->ok()) return failed(pipe->status());
    }
    const pid_t parent = getpid();
    started->process = fork();
    if (started->process < 0) return failed(system_error("{}", errno_text("fork", errno)));
    if (started->process == 0) {
        become_rank(command, setting, *output, *errors, parent);
        const int error = errno;
        (void)!write(failure->writer.get(), &error, sizeof error);
        _exit(127);
    }
    setpgid(started->process, setting.group);  // whoever comes first
    failure->writer.reset();
    int error = 0;
    ssize_t count = 0;
    do {
        count = read(failure->reader.get(), &error, sizeof error);
    } while (count < 0 && errno == EINTR);
    if (count == sizeof error) {
        return failed(system_error("cannot run {}: {}", command[0], errno_text("exec", error)),
                      error == ENOENT ? 127 : 126);
    }
    if (setting.relayed) {
        started->output = std::move(output->reader);
        started->errors = std::move(errors->reader);
        set_non_blocking(started->output.get());
        set_non_blocking(started->errors.get());
    }
    return std::nullopt;
}

Result<cpu_set_t> share_of_cpus(const cpu_set_t& allowed, int rank, int size) {
    const int count = CPU_COUNT(&allowed);
    if (count < size) {
        return invalid_usage("--bind: {} ranks cannot each have a CPU of their own: {} may be used",
                             size, count);
    }
    const int share = count / size;
    cpu_set_t mine;
    CPU_ZERO(&mine);
    int index = 0;  // among the allowed ones
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        if (index / share == rank) CPU_SET(cpu, &mine);
        ++index;
    }
    return mine;
}

Result<cpu_set_t> share_of_cpus(int rank, int size) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return system_error("--bind: {}", errno_text("sched_getaffinity", errno));
    }
    return share_of_cpus(allowed, rank, size);
}

}  // namespace xccl::run
