// Who has come to a rendezvous and what they have brought: the root's books. No sockets, no clock.
//
// The first party to come says how many ranks there will be; whoever contradicts it is refused. The
// first failure is final. It is told to everybody, those who come later included.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "bootstrap/messages.h"

namespace xccl {

class Meeting {
  public:
    // The seat that the party gets. A refusal concerns that party alone.
    //   invalid_usage     its place is taken, or was; or it means another communicator
    //   invalid_argument  it does not belong to this root
    Result<int> admit(const Introduction& party);

    bool has_begun() const { return !seats_.empty(); }
    // What the parties agree on, once there is one.
    const Introduction& terms() const { return terms_; }
    RankRange ranks() const {
        return ranks_of_root(terms_.root_index, terms_.root_count, terms_.rank_count);
    }

    // A party brings its part of the table for the exchange under way.
    void contribute(int seat_index, std::string_view table);
    bool is_gathering() const { return contributed_ > 0; }
    bool is_complete() const { return has_begun() && contributed_ == seats_.size(); }
    // The parts of all seats, in rank order; the next exchange begins.
    std::string take_table();

    // A party goes in peace, or tells why it cannot stay.
    void leave(int seat_index, const Status& reason);
    // A party's connection broke.
    void lose(int seat_index);
    void fail(const Status& failure);
    // The deadline of the exchange has passed: fails, and names who is missing.
    void run_out_of_time();
    const Status& failure() const { return failure_; }

    // Everybody has come and gone.
    bool is_over() const;
    // Those who came have gone; others never came.
    bool is_deserted() const;

  private:
    enum class State { kAwaited, kPresent, kGone };
    struct Seat {
        RankRange ranks;
        State state = State::kAwaited;
        bool has_contributed = false;
        ProcessName process{};
        std::string part{};
    };
    Status begin(const Introduction& party);
    Status check_terms(const Introduction& party) const;
    void check_for_leavers();
    static std::string name_of(const Seat& seat);

    Introduction terms_;
    std::vector<Seat> seats_;  // in rank order
    std::size_t contributed_ = 0;
    std::size_t table_bytes_ = 0;
    Status failure_;
};

}  // namespace xccl
