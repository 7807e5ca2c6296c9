// Measures and checks the rows of one thread's ranks, in step with all other threads.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/row.h"
#include "run/session.h"

namespace xccl::perf {

// What a block of rows has in common.
struct Case {
    ElementType type;
    Operator op;
    int root;
};

class RowRunner {
  public:
    RowRunner(Session* session, int thread);

    // Operators made for a case; the rows of that case follow.
    void begin(const Case& c);
    void end();
    void warm_up();
    Row measure(std::size_t bytes);
    // Of this thread: one for each row and placement with something wrong.
    long failed_checks() const { return failed_checks_; }
    // The traffic of the last row; alltoallv only.
    const Traffic& traffic() const { return traffic_; }

  private:
    void prepare(std::size_t bytes);
    Task task(const Seat& seat, bool in_place, std::uint64_t seed) const;
    void fill(bool in_place, std::uint64_t seed);
    void place(bool in_place);
    void launch(long first, int count);
    void launch_one(long index);
    void wait();
    Measurement measure_placement(bool in_place);
    IterationTimes combine_iterations(const std::vector<double>& seconds);
    long check(bool in_place);
    long check_once(bool in_place, std::uint64_t seed);
    void damage(const Seat& seat, const Task& of_seat) const;
    void complain(const Seat& seat, const Mismatch& mismatch, std::size_t wrong, bool in_place);

    Session* session_;
    int thread_;
    std::span<Seat> seats_;
    Case case_{};
    std::vector<xcclRedOp_t> handles_;  // of each seat
    Traffic traffic_;
    Shape shape_;
    std::vector<RankBuffers::Placement> placements_;  // of each seat, for what is launched next
    long failed_checks_ = 0;
    int complaints_ = 0;
};

}  // namespace xccl::perf
