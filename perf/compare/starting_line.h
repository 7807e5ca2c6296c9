// Where the ranks of one job line up before each iteration: a barrier in a page of their own, so
// that no library's barrier decides how well another's call begins.
#pragma once

#include <fcntl.h>
#include <immintrin.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "library.h"
#include "measure/cores.h"

namespace xccl::compare {

class StartingLine {
  public:
    // `path` is a file of at least one page of zeros, the same for all ranks of the job.
    StartingLine(const std::string& path, int rank_count)
        : rank_count_(static_cast<unsigned>(rank_count)),
          is_crowded_(perf::core_count() < rank_count),
          spins_before_yield_(is_crowded_ ? 1 : kSpinsBeforeYield) {
        const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
        void* page =
            file < 0 ? MAP_FAILED
                     : mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (page == MAP_FAILED) give_up("the starting line " + path + " cannot be mapped");
        close(file);
        counters_ = static_cast<Counters*>(page);
    }

    // Returns when all ranks have come. Where ranks outnumber cores, who waits yields at once:
    // whose call is over would else keep the core from one that is still timed.
    void line_up() {
        const unsigned round = counters_->round.load(std::memory_order_acquire);
        if (counters_->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == rank_count_) {
            counters_->arrived.store(0, std::memory_order_relaxed);
            counters_->round.store(round + 1, std::memory_order_release);  // pairs with the loads
            return;
        }
        for (unsigned spin = 1; counters_->round.load(std::memory_order_acquire) == round; ++spin) {
            if (spin % spins_before_yield_ == 0) {
                sched_yield();
            } else {
                _mm_pause();
            }
        }
    }

    // What follows a timed call is not timed. Where ranks outnumber cores nobody begins with it
    // before all calls are over: it would keep the core from one that is still timed.
    void finish() {
        if (is_crowded_) line_up();
    }

  private:
    static constexpr unsigned kSpinsBeforeYield = 256;  // about 5 us
    struct Counters {
        alignas(64) std::atomic<unsigned> arrived;
        alignas(64) std::atomic<unsigned> round;
    };
    unsigned rank_count_;
    bool is_crowded_;
    unsigned spins_before_yield_;
    Counters* counters_ = nullptr;
};

}  // namespace xccl::compare
