#include "simulator/rank.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/datatypes.h"

namespace xccl::simulator {

Rank::Rank(const Surroundings* surroundings, int rank, std::uint8_t epoch)
    : around_(*surroundings),
      rank_(rank),
      engine_(rank, surroundings->scenario->rank_count(), surroundings->scenario->geometry, this,
              epoch),
      launches_(surroundings->life->operations.size()) {}

const Operation& Rank::operation(std::size_t call) const {
    return call == other_call_ ? *instead_ : around_.life->operations[call];
}

int Rank::host() const {
    return around_.scenario->host_of[static_cast<std::size_t>(rank_)];
}

void Rank::call_instead(std::size_t call, const Operation* operation) {
    other_call_ = call;
    instead_ = operation;
}

// ---- Turns ----------------------------------------------------------------------------------

bool Rank::turn(bool looks) {
    if (looks) look();
    bool moved = submit_ready();
    constexpr std::uint32_t kBudgets[] = {1, 3, 64};
    moved |= engine_.advance(kBudgets[around_.random->below(3)]);
    moved |= collect();
    if (!engine_.status().ok()) end_with_failure();
    if (running() && next_call_ == around_.life->operations.size() && in_flight_.empty()) {
        state_ = State::kFinished;
        around_.note(rank_, "finished", 0);
    }
    return moved;
}

void Rank::look() {
    const auto told = around_.agreement->look(host());
    if (told) engine_.fail(Status(told->code, told->text));
}

bool Rank::submit_ready() {
    const auto limit = static_cast<std::size_t>(around_.scenario->most_in_flight);
    bool moved = false;
    while (engine_.status().ok() && next_call_ < around_.life->operations.size() &&
           in_flight_.size() < limit) {
        submit(next_call_++);
        moved = true;
        if (!around_.random->chance(0.2)) continue;
        computes_until_ = around_.events->now() + around_.random->below(50'000);
        return true;
    }
    return moved;
}

void Rank::submit(std::size_t call) {
    const Operation& called = operation(call);
    around_.note(rank_, "calls", call);
    InFlight entry;
    entry.call = call;
    entry.buffers = std::make_unique<CallBuffers>(called, rank_, around_.scenario->rank_count());
    Status status;
    if (called.coll == xcclCollSendRecv) {
        status = submit_transfers(called, &entry);
    } else {
        const int repeated = call == other_call_ ? -1 : around_.life->repeats[call];
        if (repeated >= 0) launches_[call] = launches_[static_cast<std::size_t>(repeated)];
        status = submit_collective(called, &entry);
    }
    if (!status.ok()) {
        around_.complain(
            rank_, fmt::format("{} could not be submitted: {}", called.text(), status.text()));
        state_ = State::kDead;
    }
    in_flight_.push_back(std::move(entry));
}

Status Rank::submit_collective(const Operation& called, InFlight* entry) {
    auto& prepared = launches_[entry->call];
    if (prepared == nullptr) {
        XCCL_ASSIGN(Launch launch, around_.programs->launch(called, rank_));
        XCCL_ASSIGN(prepared, engine_.prepare(std::move(launch)));
    }
    Buffers buffers = entry->buffers->buffers();
    buffers.output_left = rank_ % 2 != 0;  // ranks need not agree on it
    buffers.input_stays |= buffers.input == buffers.output && prepared->steps().read_in_place;
    entry->tickets.push_back(engine_.submit(prepared, buffers));
    return ok_status();
}

Status Rank::submit_transfers(const Operation& group, InFlight* entry) {
    const std::size_t width = element_bytes(group.type);
    for (std::size_t i = 0; i < group.transfers.size(); ++i) {
        const Transfer& transfer = group.transfers[i];
        OperationDescriptor descriptor = group.descriptor();
        descriptor.count = transfer.count;
        if (transfer.from == rank_) {
            descriptor.root = transfer.to;
            XCCL_ASSIGN(entry->tickets.emplace_back(),
                        engine_.submit_send(transfer.to, entry->buffers->send_of(i),
                                            transfer.count * width, descriptor));
        }
        if (transfer.to == rank_) {
            descriptor.root = transfer.from;
            XCCL_ASSIGN(entry->tickets.emplace_back(),
                        engine_.submit_recv(transfer.from, entry->buffers->receive_of(i),
                                            transfer.count * width, descriptor));
        }
    }
    return ok_status();
}

// Takes leave of what is done, and checks it at once: from now on its memory is the caller's.
bool Rank::collect() {
    if (!engine_.status().ok()) return false;
    bool moved = false;
    for (auto entry = in_flight_.begin(); entry != in_flight_.end();) {
        const bool done = std::all_of(entry->tickets.begin(), entry->tickets.end(),
                                      [this](Ticket ticket) { return engine_.done(ticket); });
        if (!done) {
            ++entry;
            continue;
        }
        moved = true;
        around_.note(rank_, "has done", entry->call);
        const bool counts = entry->call < mistrusted_call_;
        const auto wrong = counts ? entry->buffers->check_result(around_.combined(entry->call))
                                  : entry->buffers->check_bounds();
        if (wrong) {
            around_.complain(rank_, fmt::format("{} (call {}): {}", operation(entry->call).text(),
                                                entry->call, *wrong));
        }
        entry = in_flight_.erase(entry);
    }
    return moved;
}

// ---- Failing --------------------------------------------------------------------------------

bool Rank::look_for_mismatch() {
    engine_.check_mismatch();
    return !engine_.status().ok();
}

void Rank::time_out() {
    const auto blockage = engine_.blockage();
    if (!blockage) return;
    engine_.fail(timeout_error("{} waited too long for {}", name_of(rank_),
                               blockage->peer < 0 ? "itself" : name_of(blockage->peer)));
}

void Rank::lose(const Status& failure) {
    engine_.fail(failure);
}

void Rank::abort() {
    aborted_ = true;
    around_.agreement->tell(host(), remote_error("{} aborted the communicator", name_of(rank_)),
                            rank_);
    engine_.fail(invalid_usage("the communicator was aborted by this rank"));
}

// Everything must be over at once, what comes later included.
void Rank::end_with_failure() {
    if (!running()) return;
    state_ = State::kFailed;
    around_.note(rank_, "failed", static_cast<std::uint64_t>(engine_.status().code()));
    around_.network->give_back_buffers(rank_);
    if (!aborted_) around_.agreement->tell(host(), engine_.status(), -1);
    for (const InFlight& entry : in_flight_) {
        for (const Ticket ticket : entry.tickets) {
            if (!engine_.done(ticket)) {
                around_.complain(rank_, "an operation is not over although the engine has failed");
            }
        }
        hashes_.push_back(entry.buffers->hash());
    }
    if (!engine_.idle()) around_.complain(rank_, "the engine has failed and is not idle");
}

void Rank::check_silence() {
    if (state_ != State::kFailed) return;
    for (int i = 0; i < 4; ++i) {
        if (engine_.advance()) around_.complain(rank_, "the engine moves on after a failure");
    }
    for (std::size_t i = 0; i < in_flight_.size(); ++i) {
        if (in_flight_[i].buffers->hash() != hashes_[i]) {
            around_.complain(rank_, "a buffer was written after the failure was returned");
        }
        if (const auto wrong = in_flight_[i].buffers->check_bounds()) {
            around_.complain(rank_, *wrong);
        }
    }
    call_again();
}

// A call after the failure is over at once, and touches nothing.
void Rank::call_again() {
    const auto prepared = std::find_if(launches_.begin(), launches_.end(),
                                       [](const auto& launch) { return launch != nullptr; });
    if (prepared != launches_.end()) {
        const auto call = static_cast<std::size_t>(prepared - launches_.begin());
        CallBuffers late(operation(call), rank_, around_.scenario->rank_count());
        const std::uint64_t before = late.hash();
        const Ticket ticket = engine_.submit(*prepared, late.buffers());
        engine_.advance();
        if (!engine_.done(ticket) || late.hash() != before) {
            around_.complain(rank_, "a call after the failure does something");
        }
    }
    const int peer = (rank_ + 1) % around_.scenario->rank_count();
    if (engine_.submit_send(peer, nullptr, 0, OperationDescriptor{}).ok()) {
        around_.complain(rank_, "a send after the failure is taken");
    }
}

std::string Rank::what_it_waits_for() const {
    const auto blockage = engine_.blockage();
    if (!blockage) {
        return fmt::format("rank {} has nothing to do after {} calls", rank_, next_call_);
    }
    return fmt::format("rank {} waits for {} rank {} in {}, lane {}, tile {}, step {}", rank_,
                       blockage->for_credit ? "room at" : "a message from", blockage->peer,
                       describe(blockage->operation), blockage->lane, blockage->tile,
                       blockage->step);
}

// ---- Neighbourhood --------------------------------------------------------------------------

Result<Link*> Rank::link(int peer) {
    return around_.network->connect(rank_, peer);
}

void Rank::publish(const OperationDescriptor& operation) {
    (*around_.boards)[static_cast<std::size_t>(rank_)].publish(operation);
}

std::optional<OperationDescriptor> Rank::last_of(int peer) {
    return (*around_.boards)[static_cast<std::size_t>(peer)].latest();
}

std::optional<OperationDescriptor> Rank::at_of(int peer, std::uint64_t sequence) {
    return (*around_.boards)[static_cast<std::size_t>(peer)].at(sequence);
}

std::string Rank::name_of(int peer) {
    return fmt::format("rank {} on host{}", peer,
                       around_.scenario->host_of[static_cast<std::size_t>(peer)]);
}

}  // namespace xccl::simulator
