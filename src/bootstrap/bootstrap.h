// How the ranks of a communicator-to-be find and trust each other.
//
//   an id           address, port and secret of a rendezvous              unique_id.h
//   a rendezvous    a thread in the process that made the id              root.h
//   an exchange     what a joined rank sees: all-gathers of byte strings
//   a launch        rank and size as the launcher tells                   launch.h
//   a job's id      the id that all processes share without being told    job_id.h
//
// After the set-up the exchange goes away; communicators that span hosts keep a control star
// (control_star.h) on which failures are told.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "bootstrap/control_star.h"
#include "bootstrap/interfaces.h"
#include "bootstrap/launch.h"
#include "xccl.h"

namespace xccl {

class Exchange {
  public:
    Exchange() = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    Exchange(Exchange&&) = delete;
    Exchange& operator=(Exchange&&) = delete;
    virtual ~Exchange() = default;
    virtual int rank() const = 0;
    virtual int rank_count() const = 0;
    // The byte strings of all ranks, in rank order; they may differ in length. Collective: every
    // rank calls it the same number of times. A failure is final, and all ranks get one.
    virtual Result<std::vector<std::string>> all_gather(const std::string& mine,
                                                        Deadline deadline) = 0;
    // Between all-gathers, for whoever waits for a rank in another way: the failure that has ended
    // the exchange meanwhile, if one has. Never blocks.
    virtual Status look() { return ok_status(); }
    // Ends the exchange for all, who learn `why` at once: for a rank that is waited for in another
    // way. False if this kind of exchange cannot; then it goes on to the next all-gather.
    virtual bool give_up(const Status& /*why*/) { return false; }
    // Shared by the ranks and nobody else; keys the MACs of data connections.
    virtual const std::array<std::uint8_t, 32>& secret() const = 0;
};

constexpr std::size_t kMaxGatherBytes = 1 << 20;  // that one rank may contribute

// xcclGetUniqueId: opens a rendezvous in this process, served by a thread until the communicator
// is made or nobody has come for an hour.
//   system_error  no usable network interface
Result<xcclUniqueId> create_root();

// Meets the others. `ids` is one id, or several that share the load (the same list everywhere).
// `abort` may be null; set, it ends every wait of the exchange within 20 ms.
//   invalid_argument  damaged id, rank outside [0, rank_count)
//   invalid_usage     the id was used before, or two ranks claim the same number
//   timeout_error     not all came; names those missing (from all_gather)
Result<std::unique_ptr<Exchange>> join(std::span<const xcclUniqueId> ids, int rank, int rank_count,
                                       Deadline deadline, const std::atomic<bool>* abort);

// An exchange through an all-gather of the caller's, which must be a trusted channel; cannot keep
// deadlines. Collective: calls it once for the secret, which rank 0 makes.
Result<std::unique_ptr<Exchange>> exchange_through(xcclAllGatherFn_t all_gather, void* context,
                                                   int rank, int rank_count);

// Tells failures between hosts. Collective over any exchange: rank 0 listens, all others connect
// and prove themselves. For communicators that span hosts; the exchange may go away afterwards.
// `interfaces` as in interfaces.h.
Result<std::unique_ptr<ControlStar>> make_control_star(Exchange* exchange, Deadline deadline,
                                                       const std::atomic<bool>* abort,
                                                       std::string_view interfaces = {});

// The k-th call gives the k-th id of the job, in all of its processes; see xcclGetJobUniqueId.
Result<xcclUniqueId> job_unique_id();

}  // namespace xccl
