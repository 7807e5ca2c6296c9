#include "bootstrap/meeting.h"

#include <algorithm>

#include "base/assert.h"

namespace xccl {
namespace {

std::string range_text(const RankRange& range) {
    if (range.count == 1) return std::to_string(range.first);
    return fmt::format("{}-{}", range.first, range.first + range.count - 1);
}

// "2, 5-7, 9 and 12 more"
std::string list_text(const std::vector<RankRange>& ranges) {
    std::vector<RankRange> merged;
    for (const RankRange& range : ranges) {
        if (!merged.empty() && merged.back().first + merged.back().count == range.first) {
            merged.back().count += range.count;
        } else {
            merged.push_back(range);
        }
    }
    constexpr std::size_t kListed = 8;
    std::string text;
    int more = 0;
    for (std::size_t i = 0; i < merged.size(); ++i) {
        if (i < kListed) text += (i > 0 ? ", " : "") + range_text(merged[i]);
        if (i >= kListed) more += merged[i].count;
    }
    return more > 0 ? fmt::format("{} and {} more", text, more) : text;
}

}  // namespace

std::string Meeting::name_of(const Seat& seat) {
    if (seat.ranks.count == 1) return rank_text(seat.ranks.first, seat.process);
    return fmt::format("the rendezvous of ranks {} on {} (pid {})", range_text(seat.ranks),
                       seat.process.host, seat.process.pid);
}

Status Meeting::begin(const Introduction& party) {
    const RankRange own = ranks_of_root(party.root_index, party.root_count, party.rank_count);
    if (own.count == 0) return invalid_argument("no rank belongs to this rendezvous");
    terms_ = party;
    for (int i = 0; i < own.count; ++i) seats_.push_back({.ranks = {own.first + i, 1}});
    for (int root = 1; party.root_index == 0 && root < party.root_count; ++root) {
        const RankRange group = ranks_of_root(root, party.root_count, party.rank_count);
        if (group.count > 0) seats_.push_back({.ranks = group});
    }
    return ok_status();
}

Status Meeting::check_terms(const Introduction& party) const {
    if (party.rank_count != terms_.rank_count) {
        return invalid_usage(
            "{} means a communicator of {} ranks, the others one of {}; give all the same number",
            rank_text(party.first_rank, party.process), party.rank_count, terms_.rank_count);
    }
    if (party.root_count != terms_.root_count || party.root_index != terms_.root_index ||
        party.first_id != terms_.first_id) {
        return invalid_usage("{} has another list of unique ids; give all ranks the same list",
                             rank_text(party.first_rank, party.process));
    }
    return ok_status();
}

Result<int> Meeting::admit(const Introduction& party) {
    if (!has_begun()) XCCL_TRY(begin(party));
    XCCL_TRY(check_terms(party));
    const RankRange wanted{party.first_rank, party.party_size};
    const auto seat = std::find_if(seats_.begin(), seats_.end(),
                                   [&](const Seat& s) { return s.ranks == wanted; });
    if (seat == seats_.end()) {
        return invalid_argument(
            "{} does not belong to this rendezvous; give all ranks the same "
            "list of unique ids",
            rank_text(party.first_rank, party.process));
    }
    if (!failure_.ok()) {
        if (seat->state == State::kAwaited) seat->state = State::kGone;
        return failure_;
    }
    if (seat->state == State::kGone) {
        return invalid_usage("the unique id was used before; make a new one for each communicator");
    }
    if (seat->state == State::kPresent) {
        return invalid_usage("rank {} is claimed twice: by pid {} on {} and by pid {} on {}",
                             party.first_rank, seat->process.pid, seat->process.host,
                             party.process.pid, party.process.host);
    }
    seat->state = State::kPresent;
    seat->process = party.process;
    return static_cast<int>(seat - seats_.begin());
}

void Meeting::contribute(int seat_index, std::string_view table) {
    Seat& seat = seats_[static_cast<std::size_t>(seat_index)];
    if (!failure_.ok()) return;
    if (seat.has_contributed || !is_table(table, seat.ranks.count)) {
        return fail(
            remote_error("{} talks nonsense to the rendezvous; use the same version of "
                         "xccl on all ranks",
                         name_of(seat)));
    }
    table_bytes_ += table.size();
    if (table_bytes_ > kMaxTableBytes) {
        return fail(remote_error("the ranks exchange more than {} bytes", kMaxTableBytes));
    }
    seat.has_contributed = true;
    seat.part = table;
    ++contributed_;
    check_for_leavers();
}

std::string Meeting::take_table() {
    XCCL_ASSERT(is_complete());
    std::string table;
    table.reserve(table_bytes_);
    for (Seat& seat : seats_) {
        table += seat.part;
        seat.part = std::string();
        seat.has_contributed = false;
    }
    contributed_ = 0;
    table_bytes_ = 0;
    return table;
}

// Whoever still exchanges something needs those who have left.
void Meeting::check_for_leavers() {
    if (!is_gathering()) return;
    for (const Seat& seat : seats_) {
        if (seat.state != State::kGone) continue;
        return fail(remote_error("{} gave up while the communicator was being made; see its error",
                                 name_of(seat)));
    }
}

void Meeting::leave(int seat_index, const Status& reason) {
    Seat& seat = seats_[static_cast<std::size_t>(seat_index)];
    seat.state = State::kGone;
    if (!reason.ok()) fail(reason);
    check_for_leavers();
}

void Meeting::lose(int seat_index) {
    Seat& seat = seats_[static_cast<std::size_t>(seat_index)];
    seat.state = State::kGone;
    fail(remote_error("{} died or lost its connection while the communicator was being made",
                      name_of(seat)));
}

void Meeting::fail(const Status& failure) {
    if (failure_.ok()) failure_ = failure;
}

void Meeting::run_out_of_time() {
    std::vector<RankRange> absent;
    const Seat* late = nullptr;
    for (const Seat& seat : seats_) {
        if (seat.state == State::kAwaited) absent.push_back(seat.ranks);
        if (seat.state == State::kPresent && !seat.has_contributed) late = late ? late : &seat;
    }
    if (!absent.empty()) {
        return fail(timeout_error(
            "of {} ranks these did not come in time: {}; see whether they were started, and with "
            "the same unique id",
            terms_.rank_count, list_text(absent)));
    }
    if (late != nullptr) {
        fail(timeout_error("{} came, but did not go on in time; see whether it is stuck",
                           name_of(*late)));
    }
}

bool Meeting::is_over() const {
    return has_begun() && std::all_of(seats_.begin(), seats_.end(),
                                      [](const Seat& seat) { return seat.state == State::kGone; });
}

bool Meeting::is_deserted() const {
    return has_begun() && !is_over() &&
           std::none_of(seats_.begin(), seats_.end(),
                        [](const Seat& seat) { return seat.state == State::kPresent; });
}

}  // namespace xccl
