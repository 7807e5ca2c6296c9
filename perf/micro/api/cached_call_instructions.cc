// Question: how many instructions does one 8-byte xcclAllReduce take, when nothing has to be waited
// for? Unlike a time, the answer is the same on every machine and on every day.
//
// Method: two ranks, as threads of a child process. Once the plan is cached and rank 1's message is
// there, the child stops, and its parent lets rank 0 go through the call one instruction at a time.
// Prints one JSON line; with --trace, the address of each instruction before it, after the map of
// the child's memory.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "xccl.h"

namespace {

constexpr int kCalls = 200;  // the last one is counted
constexpr int kMostInstructions = 1000000;

void check(xcclResult_t result) {
    if (result == xcclSuccess) return;
    std::fprintf(stderr, "%s\n", xcclGetLastError(nullptr));
    std::_Exit(1);
}

void reduce(float (&values)[2], xcclComm_t comm) {
    check(xcclAllReduce(values, values, 2, xcclFloat32, xcclSum, comm, nullptr));
}

// Stops this thread for the parent, which traces no other one.
void stop() {
    asm volatile("int3");
}

[[noreturn]] void play() {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    setenv("XCCL_SPIN_US", "1000000", 1);  // rank 1 does not fall asleep while we are stopped
    xcclComm_t comms[2];
    check(xcclCommInitAll(comms, 2, nullptr));
    std::atomic<int> begun{0};
    std::thread other([&] {
        float values[2] = {};
        for (int call = 1; call <= kCalls; ++call) {
            begun.store(call, std::memory_order_release);
            reduce(values, comms[1]);
        }
    });
    float values[2] = {};
    for (int call = 1; call <= kCalls; ++call) {
        while (begun.load(std::memory_order_acquire) != call) {
        }
        if (call < kCalls) {
            reduce(values, comms[0]);
            continue;
        }
        usleep(1000);  // for rank 1's message
        stop();
        reduce(values, comms[0]);
        stop();
    }
    other.join();
    std::_Exit(0);
}

// False if the child has ended.
bool wait_for_stop(pid_t child, int* signal) {
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
    *signal = WSTOPSIG(status);
    return true;
}

int fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const bool trace = argc > 1 && std::strcmp(argv[1], "--trace") == 0;
    const pid_t child = fork();
    if (child < 0) return fail("fork failed");
    if (child == 0) play();
    int signal = 0;
    if (!wait_for_stop(child, &signal) || signal != SIGTRAP) {
        return fail("the child cannot be traced here: ptrace is forbidden, or the ranks failed");
    }
    if (trace) std::cout << std::ifstream("/proc/" + std::to_string(child) + "/maps").rdbuf();
    int count = 0;
    for (; count < kMostInstructions; ++count) {
        user_regs_struct registers{};
        ptrace(PTRACE_GETREGS, child, nullptr, &registers);
        const long word = ptrace(PTRACE_PEEKTEXT, child, registers.rip, nullptr);
        if (count > 0 && (word & 0xff) == 0xcc) break;  // int3: the second stop
        if (trace) std::printf("%llx\n", registers.rip);
        ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
        if (!wait_for_stop(child, &signal)) return fail("the child ended before its call did");
    }
    std::printf("{\"what\":\"cached 8-byte xcclAllReduce\",\"instructions\":%d}\n", count);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return 0;
}
