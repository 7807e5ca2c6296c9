// All threads of all processes of the job: they meet at barriers and learn each other's numbers.
//
// Threads of a process meet here; the last one speaks for all with the other processes. A stopped
// run lets nobody wait: whoever does throws.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "options/options.h"
#include "run/processes.h"
#include "run/stopper.h"

namespace xccl::perf {

class Crew {
  public:
    Crew(int threads, const Processes* processes, Stopper* stopper);
    ~Crew() { stopper_->on_stop({}); }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    Crew(Crew&&) = delete;
    Crew& operator=(Crew&&) = delete;

    // Everybody's values, [process][thread][values]; all give equally many. Collective.
    std::vector<double> gather(int thread, std::span<const double> mine);
    void barrier(int thread) { gather(thread, {}); }
    double combine(int thread, double value, Average how);
    double sum(int thread, double value);

    int threads() const { return static_cast<int>(slots_.size()); }
    int members() const { return threads() * processes_->count(); }
    const Processes& processes() const { return *processes_; }

  private:
    void exchange();
    void wait_for(unsigned generation) const;

    const Processes* processes_;
    Stopper* stopper_;
    std::vector<std::vector<double>> slots_;  // one for each thread
    std::vector<double> result_;
    std::atomic<int> arrived_{0};
    // Released by the last thread to arrive, after result_; acquired by those that wait.
    std::atomic<unsigned> generation_{0};
};

}  // namespace xccl::perf
