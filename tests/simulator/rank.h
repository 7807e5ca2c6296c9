// One simulated rank: a program of operations that goes through the library's engine, and an eye on
// all that the engine promises.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor/engine.h"
#include "simulator/agreement.h"
#include "simulator/call_buffers.h"
#include "simulator/programs.h"
#include "simulator/scenario.h"
#include "transport/operation_board.h"

namespace xccl::simulator {

// What the ranks of one life share.
struct Surroundings {
    const Scenario* scenario;
    const Life* life;
    Events* events;
    Random* random;
    Network* network;
    Programs* programs;
    Agreement* agreement;
    std::vector<OperationBoard>* boards;  // by rank
    std::function<void(int rank, const std::string&)> complain;
    std::function<void(int rank, const char* what, std::uint64_t number)> note;
    // write_combined() of an operation; empty if it does not combine.
    std::function<const std::vector<std::byte>&(std::size_t call)> combined;
};

class Rank : public Neighbourhood {
  public:
    enum class State : std::uint8_t {
        kRunning,
        kFinished,  // all operations are done
        kFailed,    // with an error
        kDead,
        kHung,
    };

    Rank(const Surroundings* surroundings, int rank, std::uint8_t epoch);

    // Runs for a moment: submits, advances, collects. `looks`: at what others tell of failures,
    // too. True if anything moved.
    bool turn(bool looks);
    // For a rank that has waited long: do the peers call the same? True if that ends it.
    bool look_for_mismatch();
    // It has waited longer than it may.
    void time_out();
    // Something breaks under this rank; its own process gives up.
    void lose(const Status& failure);
    void abort();
    void kill() { state_ = State::kDead; }
    void hang() { state_ = State::kHung; }

    State state() const { return state_; }
    bool running() const { return state_ == State::kRunning; }
    bool aborted() const { return aborted_; }
    Time computes_until() const { return computes_until_; }
    void compute_until(Time time) { computes_until_ = time; }
    // This rank calls something else; from that call on, no rank's result means anything.
    void call_instead(std::size_t call, const Operation* operation);
    void mistrust_from(std::size_t call) { mistrusted_call_ = std::min(mistrusted_call_, call); }
    const Status& failure() const { return engine_.status(); }
    // When all is over: has anything been written since this rank was told that it had failed?
    void check_silence();
    std::string what_it_waits_for() const;

    // Neighbourhood
    Result<Link*> link(int peer) override;
    void publish(const OperationDescriptor& operation) override;
    std::optional<OperationDescriptor> last_of(int peer) override;
    std::optional<OperationDescriptor> at_of(int peer, std::uint64_t sequence) override;
    std::string name_of(int peer) override;

  private:
    struct InFlight {
        std::size_t call = 0;
        std::vector<Ticket> tickets;
        std::unique_ptr<CallBuffers> buffers;
    };

    void look();
    bool submit_ready();
    void submit(std::size_t call);
    Status submit_collective(const Operation& operation, InFlight* entry);
    Status submit_transfers(const Operation& operation, InFlight* entry);
    bool collect();
    void end_with_failure();
    void call_again();
    const Operation& operation(std::size_t call) const;
    int host() const;

    const Surroundings& around_;
    const int rank_;
    Engine engine_;
    State state_ = State::kRunning;
    Time computes_until_ = 0;
    std::size_t next_call_ = 0;
    std::vector<InFlight> in_flight_;
    std::vector<std::shared_ptr<const PreparedLaunch>> launches_;  // by call
    std::size_t other_call_ = ~std::size_t{0};
    const Operation* instead_ = nullptr;
    std::size_t mistrusted_call_ = ~std::size_t{0};
    bool aborted_ = false;
    std::vector<std::uint64_t> hashes_;  // of in_flight_, when it failed
};

}  // namespace xccl::simulator
