// Runs a scenario: all ranks' engines in one thread, in virtual time, until every rank has
// finished, failed or died, and checks what must hold whatever happens:
//
//     every result is right, or all survivors that have not finished end with the same error, which
//       is about what went wrong
//     nobody waits for ever: when nothing moves any more, nobody has anything left to do
//     nothing is written outside the outputs, and nothing at all after an error was returned
//     inputs of out-of-place operations stay as they are
//
// Nothing but the seed decides what happens, so a failure can be run again.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simulator/rank.h"
#include "simulator/scenario.h"

namespace xccl::simulator {

struct Report {
    std::vector<std::string> complaints;  // the first few; empty: all is well
    std::uint64_t event_hash = 0;         // of all that happened, in order
    std::uint64_t event_count = 0;
    std::uint64_t message_count = 0;
    std::uint64_t reference_count = 0;  // of these, those whose payload lay in a buffer
    std::uint64_t placed_count = 0;     // and those that came to lie in one at once
    std::uint64_t operation_count = 0;  // calls of all ranks together
    std::array<int, kFaultKindCount> faults_struck{};  // by kind; those that came in time
    bool ok() const { return complaints.empty(); }
};

class World {
  public:
    World(const Scenario* scenario, bool traces);
    ~World();
    Report run();

  private:
    // How a rank is scheduled.
    struct Slot {
        std::unique_ptr<Rank> rank;
        bool asleep = false;
        bool turn_planned = false;
        int spins_left = 0;
    };

    void begin_life(std::size_t index);
    void run_life();
    void end_life();
    void plan_turn(int rank, Time delay);
    void take_turn(int rank);
    void go_to_sleep(int rank);
    void wake(int rank);
    void after_turn(int rank);
    bool anybody_running() const;
    bool help_those_who_wait();
    void complain_of_hang();

    void plan_fault(const Fault& fault);
    void strike(const Fault& fault);
    void cut(const Fault& fault);
    void kill(const Fault& fault);
    void mismatch(const Fault& fault);
    void plan_loss(int rank, Time longest_delay, const Status& loss);
    void check_outcome();
    void check_verdict(const Failure& verdict);

    void complain(const std::string& text);
    void note(int rank, const char* what, std::uint64_t number);
    void observe(const Network::Happening& happening);
    void add_to_hash(const char* what, std::uint64_t a, std::uint64_t b);
    const std::vector<std::byte>& combined(std::size_t call);
    std::string name_of(int rank) const;

    const Scenario& scenario_;
    const bool traces_;
    Events events_;
    Random random_;
    Network network_;
    Agreement agreement_;
    Programs programs_;
    std::vector<OperationBoard> boards_;
    Surroundings surroundings_;
    std::vector<Slot> slots_;
    const Life* life_ = nullptr;
    std::size_t life_index_ = 0;
    std::vector<const Fault*> struck_;  // in this life
    std::vector<std::vector<std::byte>> combined_;
    std::vector<bool> combined_known_;
    Report report_;
};

}  // namespace xccl::simulator
