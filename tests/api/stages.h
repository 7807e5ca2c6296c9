// Ranks as threads of one process, as processes that share memory, or as processes that talk TCP:
// the stages on which the same play must end alike.
//
// All of them live in children of the test, which itself makes no communicator: whoever has used
// xccl can fork no ranks. They meet at an id that rank 0 makes.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "xccl.h"

namespace xccl::test {

enum class Stage { kThreads, kProcesses, kTcp };

inline std::string name_of(Stage stage) {
    if (stage == Stage::kThreads) return "Threads";
    return stage == Stage::kProcesses ? "Processes" : "Tcp";
}

// What a rank came to.
struct Verdict {
    xcclResult_t result = xcclNumResults;  // that: it did not end
    long ms = 0;                           // from when all had met
    std::string text;                      // what it was told last
};

class Play {
  public:
    // What one rank does with its communicator, up to the first failure. It need not destroy it.
    using Part = std::function<xcclResult_t(int rank, xcclComm_t comm)>;

    // What happens to a rank's process between the making of the id and its use.
    using Mishap = std::function<void(int rank)>;

    Play(Stage stage, int rank_count, const Part& part, const Mishap& mishap = {})
        : rank_count_(rank_count) {
        void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared_ = new (memory) Shared;
        for (int rank = 0; rank < (stage == Stage::kThreads ? 1 : rank_count); ++rank) {
            children_.push_back(fork());
            if (children_.back() != 0) continue;
            if (stage == Stage::kTcp) setenv("XCCL_TRANSPORT", "tcp", 1);
            setenv("XCCL_DEBUG", "error", 0);
            if (freopen("/dev/null", "w", stderr) == nullptr) _exit(1);  // what it logs is expected
            stage == Stage::kThreads ? act_all(part) : act(rank, part, mishap);
            _exit(0);
        }
    }
    Play(const Play&) = delete;
    Play& operator=(const Play&) = delete;
    ~Play() {
        for (const pid_t child : children_) {
            kill(child, SIGKILL);
            waitpid(child, nullptr, 0);
        }
        munmap(shared_, sizeof(Shared));
    }

    // Waits until all have ended; those that have not by then are told by their result.
    std::vector<Verdict> verdicts(std::chrono::milliseconds patience = std::chrono::seconds(15)) {
        const auto end = std::chrono::steady_clock::now() + patience;
        for (; !children_.empty(); children_.pop_back()) {
            while (waitpid(children_.back(), nullptr, WNOHANG) == 0) {
                if (std::chrono::steady_clock::now() > end) kill(children_.back(), SIGKILL);
                usleep(200);
            }
        }
        std::vector<Verdict> all;
        for (int rank = 0; rank < rank_count_; ++rank) {
            const Line& line = shared_->lines[rank];
            all.push_back({static_cast<xcclResult_t>(line.result.load()), line.ms, line.text});
        }
        return all;
    }

  private:
    static constexpr int kMaxRanks = 64;
    struct Line {
        std::atomic<int> result{xcclNumResults};
        long ms = 0;
        char text[1024] = {};
    };
    struct Shared {
        std::atomic<int> id_ready{0}, ended{0};
        xcclUniqueId id{};
        Line lines[kMaxRanks];
    };

    void act_all(const Part& part) {
        std::vector<std::thread> threads;
        for (int rank = 0; rank < rank_count_; ++rank)
            threads.emplace_back([this, rank, &part] { act(rank, part); });
        for (auto& thread : threads) thread.join();
    }

    void act(int rank, const Part& part, const Mishap& mishap = {}) {
        Line& line = shared_->lines[rank];
        xcclResult_t result = meet(rank, mishap);
        const auto met = std::chrono::steady_clock::now();
        if (result == xcclSuccess) result = part(rank, comm_of_[rank]);
        line.ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - met)
                      .count();
        std::snprintf(line.text, sizeof line.text, "%s", xcclGetLastError(nullptr));
        line.result.store(result);
        shared_->ended.fetch_add(1);
        // Whoever goes at once may take along what the others are yet to be told.
        const auto end = met + std::chrono::seconds(10);
        while (shared_->ended.load() < rank_count_ && std::chrono::steady_clock::now() < end)
            usleep(200);
    }

    xcclResult_t meet(int rank, const Mishap& mishap) {
        if (rank == 0) {
            const xcclResult_t made = xcclGetUniqueId(&shared_->id);
            if (made != xcclSuccess) return made;
            shared_->id_ready.store(1);
        }
        while (!shared_->id_ready.load()) usleep(50);
        if (mishap) mishap(rank);
        return xcclCommInitRank(&comm_of_[rank], rank_count_, shared_->id, rank);
    }

    const int rank_count_;
    Shared* shared_;
    std::vector<pid_t> children_;
    xcclComm_t comm_of_[kMaxRanks] = {};
};

}  // namespace xccl::test
