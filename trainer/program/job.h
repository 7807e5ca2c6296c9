// The ranks of this run, and what they say to each other: the only file that calls the
// communication library's collectives.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "program/failure.h"
#include "xccl.h"

namespace xccl::trainer {

class Job {
  public:
    // Finds the other ranks and joins them. Throws Failure (kCommunication), as all of these do.
    explicit Job(bool reproducible);
    ~Job() { abort(); }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    Job(Job&&) = delete;
    Job& operator=(Job&&) = delete;

    std::size_t rank() const { return static_cast<std::size_t>(info_.rank); }
    std::size_t rank_count() const { return static_cast<std::size_t>(info_.nranks); }
    std::size_t ranks_of_host() const { return static_cast<std::size_t>(info_.localRanks); }
    std::string launcher() const { return info_.launcher; }

    // Rank 0's values replace everybody's.
    void broadcast(std::span<float> values);
    // Element-wise sums over ranks replace the values.
    void sum(std::span<float> values);
    // Every rank's `mine`, in rank order, on every rank. T is copied as bytes.
    template <typename T>
    std::vector<T> gather(const T& mine) {
        std::vector<T> all(rank_count());
        all[rank()] = mine;
        gather_bytes(all.data(), sizeof(T));
        return all;
    }

    // The same in the background, in the order of the calls; the memory is the library's until
    // finish(). A failure shows there.
    void start_sum(std::span<float> values);
    template <typename T>
    void start_gather(std::vector<T>& all) {
        start_gather_bytes(all.data(), sizeof(T));
    }
    // A little of the background's work; for threads that compute. Seconds that this took are added
    // to background_seconds(). Never throws.
    void poll();
    // Returns when all that was started is complete.
    void finish();
    double background_seconds() const { return background_seconds_; }

    // Everybody is done: leaves in order.
    void close();
    // Leaves at once, so that nobody waits for this rank, and gives the memory of what was started
    // back. Nothing after close().
    void abort();

  private:
    void gather_bytes(void* all, std::size_t bytes);
    void start_gather_bytes(void* all, std::size_t bytes);
    void started(xcclResult_t result, double since);
    void check(xcclResult_t result) const;

    xcclLaunchInfo_t info_{};
    xcclComm_t comm_ = nullptr;
    xcclStream_t stream_ = nullptr;
    xcclResult_t background_result_ = xcclSuccess;  // the first failure of what was started
    bool background_busy_ = false;
    double background_seconds_ = 0;
};

}  // namespace xccl::trainer
