// The threads that compute: a job is a number of tiles, which the shape of the work fixes and the
// number of threads does not, so that results never depend on who computed which tile, or when.
//
// Threads take tiles from one counter, so a thread that the machine held up costs one tile and not
// its whole share. They wait asleep: ranks that share cores don't burn each other's time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace xccl::trainer {

class ThreadPool {
  public:
    // The caller of run() is one of the threads: a pool of 1 starts none.
    explicit ThreadPool(std::size_t thread_count);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ThreadPool(ThreadPool&&) = delete;
    ThreadPool& operator=(ThreadPool&&) = delete;

    std::size_t thread_count() const { return workers_.size() + 1; }

    // `poll` is called by the thread that calls run(), after each of its tiles and while it waits
    // for the others', so that communication makes progress on cores that compute. It must be
    // short and must not call run(). Null: nothing is called. Not while run() runs.
    void set_poll(std::function<void()> poll) { poll_ = std::move(poll); }

    // Calls body(tile, thread) once for each tile in [0, tile_count), with thread in
    // [0, thread_count()), and returns when all have returned. `body` must not throw. Allocates
    // nothing. One caller at a time.
    template <typename Body>
    void run(std::size_t tile_count, const Body& body) {
        run_job({[](const void* state, std::size_t tile, std::size_t thread) {
                     (*static_cast<const Body*>(state))(tile, thread);
                 },
                 &body, tile_count});
    }

  private:
    struct Job {
        void (*call)(const void* state, std::size_t tile, std::size_t thread) = nullptr;
        const void* state = nullptr;
        std::size_t tile_count = 0;
    };

    void run_job(const Job& job);
    void work(std::size_t thread);
    void take_tiles(std::size_t thread);
    void wait_for_workers();

    std::function<void()> poll_;
    Job job_;                                   // written before generation_ is, read after it
    std::atomic<std::uint32_t> generation_{0};  // counts jobs; what workers sleep on
    std::atomic<std::uint32_t> working_{0};     // workers that have not finished the job
    std::atomic<std::size_t> next_tile_{0};
    std::atomic<bool> stopping_{false};
    std::vector<std::thread> workers_;
};

}  // namespace xccl::trainer
