// The processes of the job, as the launcher started them: who this one is, and a channel between
// all of them for what is not measured (addresses, times, counts of wrong elements).
//
// The channel is a communicator of its own, so that no MPI is needed.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "run/stopper.h"
#include "xccl.h"

namespace xccl::perf {

class Processes {
  public:
    // Collective over the job.
    explicit Processes(Stopper* stopper);

    int rank() const { return info_.rank; }
    int count() const { return info_.nranks; }
    int local_rank() const { return info_.localRank; }
    int local_count() const { return info_.localRanks; }
    const char* launcher() const { return info_.launcher; }

    // `bytes` from every process, in the order of ranks. Collective; for one thread at a time.
    std::vector<std::byte> gather_bytes(const void* mine, std::size_t bytes) const;

    template <typename T>
    std::vector<T> gather(const T& mine) const {
        return gather(std::vector<T>{mine});
    }
    // The same number of values from every process.
    template <typename T>
    std::vector<T> gather(const std::vector<T>& mine) const;

  private:
    xcclLaunchInfo_t info_{};
    xcclComm_t control_ = nullptr;  // null where there is one process
};

template <typename T>
std::vector<T> Processes::gather(const std::vector<T>& mine) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::vector<std::byte> bytes = gather_bytes(mine.data(), mine.size() * sizeof(T));
    std::vector<T> all(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
    return all;
}

}  // namespace xccl::perf
