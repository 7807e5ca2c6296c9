#include "comm/communicator.h"

#include <nlohmann/json.hpp>
#include <thread>

#include "base/datatypes.h"
#include "comm/process.h"
#include "observe/log.h"

namespace xccl {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kSpinsPerLook = 32;  // advance() calls between two looks at the clock
// Of calls that touch no more, only what waits is timed: the others take about a microsecond, and
// two looks at the clock 0.05 (cached_call_benchmark; an Intel Xeon at 2.1 GHz, 2026-11-29).
constexpr std::uint64_t kUntimedBytes = 8192;
// Where ranks share cores, before the first yield. In shared memory none: what is not there yet is
// mostly a peer's that needs the core. 8 bytes with 8 and 16 ranks on 2 cores take 0.87 and 0.96 of
// the time that they take with 4, broadcasts and reduce-scatters of 64 bytes with 4 ranks 0.94 and
// 0.96 (compare's workers in turns; an Intel Xeon at 2.1 GHz, 2026-11-29).
constexpr int kCrowdedSpins = 0;
constexpr int kCrowdedSpinsOfCarrier = 1;                   // each is a system call
constexpr Clock::duration kShortestSpin = microseconds(1);  // where others want the core
constexpr microseconds kYieldTime{100};                     // after spinning, before sleeping
constexpr std::uint32_t kCallsPerHearing = 4;               // of those that only send
constexpr int kYieldsPerLook = 8;                           // at the clock
// One that finds nobody else takes 0.3 us, a change to another process and back 1.4 to 2.5
// (machine_limits --only kernel; 2 cores of an Intel Xeon, 2026-11-29).
constexpr microseconds kQuickYield{2};
constexpr milliseconds kMismatchPatience{100};
constexpr milliseconds kMissedCallPatience{500};
constexpr milliseconds kFarewell{500};           // for what is on its way to other hosts
constexpr milliseconds kLandingPatience{10000};  // with a peer that writes a few KiB, or is stopped

// Do more ranks live on this rank's cores than there are?
bool is_crowded(const Membership& membership) {
    return membership.topology.rank_is_crowded[static_cast<std::size_t>(membership.rank)];
}

// Is this of this rank alone? The others are told its name with it.
bool is_own(const Status& failure) {
    return failure.code() == xcclSystemError || failure.code() == xcclInternalError;
}

}  // namespace

Communicator::Communicator(CommunicatorOptions options, std::unique_ptr<Membership> membership,
                           std::unique_ptr<Links> links,
                           std::unique_ptr<FailureWatch> failure_watch,
                           std::unique_ptr<Launcher> launcher)
    : options_(std::move(options)),
      membership_(std::move(membership)),
      links_(std::move(links)),
      failure_watch_(std::move(failure_watch)),
      launcher_(std::move(launcher)),
      crowded_(is_crowded(*membership_)),
      longest_spin_(std::max<Clock::duration>(microseconds(options_.spin_us), kShortestSpin)),
      core_share_(links_->segment(),
                  {.rank = membership_->rank,
                   .rank_count = membership_->rank_count(),
                   .index = links_->local_index(membership_->rank)},
                  crowded_ && options_.spread),
      spin_(longest_spin_),
      engine_(membership_->rank, membership_->rank_count(), links_->geometry(), links_.get()) {}

Communicator::~Communicator() {
    leave();
}

// ---- Issuing --------------------------------------------------------------------------------

Result<Ticket> Communicator::submit(const Call& call) {
    if (call.coll == xcclCollSendRecv) {
        const OperationDescriptor descriptor = descriptor_of(call, 0);
        const std::uint64_t bytes = call.count * element_bytes(call.type);
        return call.is_send
                   ? engine_.submit_send(call.root, static_cast<const std::byte*>(call.send), bytes,
                                         descriptor)
                   : engine_.submit_recv(call.root, static_cast<std::byte*>(call.recv), bytes,
                                         descriptor);
    }
    XCCL_ASSIGN(const auto* launch, launcher_->prepared(call, engine_));
    return engine_.submit(*launch, launcher_->buffers_of(call, **launch));
}

// Moves what is on its way to and from other hosts.
bool Communicator::carry(Carrier& carrier) {
    const auto carried = carrier.progress();
    if (carried.ok()) return *carried;
    stop(carried.status());
    return false;
}

inline bool Communicator::advance_locked(const Lock& lock) {
    Carrier* const carrier = links_->carrier();
    const bool carried = carrier != nullptr && carry(*carrier);
    const bool walked = engine_.advance();
    if (carrier != nullptr && !walked) expect_from_blockage(*carrier);
    moves_ += walked;  // a peer that only says where it waits has not moved this rank on
    if (!running_.empty()) collect_done(lock);
    if (!queue_.empty()) submit_ready(lock);
    return carried || walked;
}

// What this rank has to send leaves before it asks for what has come, which over a carrier is a
// system call: a peer may wait for the one, and the other stays where it is. What is to be received
// is posted by then, too. Who only sends hears of the others in one of so many calls.
inline void Communicator::begin_locked(Ticket ticket, const Lock& lock) {
    Carrier* const carrier = links_->carrier();
    if (carrier == nullptr || !running_.empty() || !carrier->is_settled()) {
        advance_locked(lock);
        return;
    }
    moves_ += engine_.advance();
    if (!engine_.done(ticket)) {
        expect_from_blockage(*carrier);
    } else if (++calls_unheard_ % kCallsPerHearing == 0) {
        carry(*carrier);
    }
}

Status Communicator::run(const Call& call) {
    Lock lock(mutex_);
    if (__builtin_expect(failure_watch_->told(), 0)) watch_locked(lock);
    if (__builtin_expect(!failure_.ok(), 0)) return failure_;
    if (__builtin_expect(!queue_.empty(), 0)) return run_queued(call, lock);
    core_share_.begin();
    Ticket ticket{};
    std::uint64_t record = 0;
    bool timed = true;
    if (const auto* launch = launcher_->repeated(call)) {
        ticket = engine_.submit(*launch, launcher_->buffers_of(call, **launch));
        record = recorder_.begin(engine_.newest_collective());
        timed = (*launch)->input_bytes() + (*launch)->output_bytes() > kUntimedBytes;
    } else {
        const Result<Ticket> submitted = submit(call);
        if (!submitted.ok()) return refuse(submitted.status(), lock);
        ticket = *submitted;
        record = recorder_.begin(descriptor_of(call, engine_.collectives_submitted()));
    }
    count_unfinished(+1);
    if (timed) recorder_.start_clock(record);
    begin_locked(ticket, lock);
    if (!engine_.done(ticket)) {
        recorder_.start_clock(record);
        timed |= complete(ticket, lock);
    }
    distrust(lock);
    settle_failure(lock);
    ++finished_;
    count_unfinished(-1);
    const bool well = engine_.status().ok();
    if (timed) recorder_.stop_clock(record);
    recorder_.end(record, well ? xcclSuccess : engine_.status().code());
    return well ? ok_status() : failure_;
}

// Something on a stream comes before this.
Status Communicator::run_queued(const Call& call, Lock& lock) {
    lock.unlock();
    auto work = std::make_shared<Work>();
    work->comm = shared_from_this();
    work->call = call;
    work->may_start.store(true, std::memory_order_relaxed);
    issue(work);
    wait(*work);
    return work->result;
}

// Waits until it is done. True if that took longer than a first look.
bool Communicator::complete(Ticket ticket, Lock& lock) {
    const int spins = !crowded_                      ? kSpinsPerLook
                      : links_->carrier() == nullptr ? kCrowdedSpins
                                                     : kCrowdedSpinsOfCarrier;
    if (look(ticket, spins, lock)) return false;
    while (!spin(ticket, lock)) {
        lock.unlock();
        advance_all();
        lock.lock();
        if (engine_.done(ticket)) return true;
        watch_locked(lock);
        lock.unlock();
        sleep(others_busy(this) ? kShortSleep : kLongSleep);
        lock.lock();
    }
    return true;
}

// Spins, then yields. Where ranks share cores, or somebody else was seen to want this one, there is
// next to no spinning: who waits keeps the core from somebody who may be the peer.
bool Communicator::spin(Ticket ticket, const Lock& lock) {
    if (crowded_) return yield(ticket, lock);
    const Clock::time_point end = Clock::now() + spin_;
    do {
        if (look(ticket, kSpinsPerLook, lock)) return true;
    } while (Clock::now() < end);
    return yield(ticket, lock);
}

// Advances until it is done, or nothing has moved for so many looks.
bool Communicator::look(Ticket ticket, int looks, const Lock& lock) {
    for (int i = 0; i < looks; ++i) {
        if (engine_.done(ticket)) return true;
        if (advance_locked(lock))
            i = 0;
        else
            relax();
    }
    return engine_.done(ticket);
}

// Yields for a while. A yield that takes long has given the core to somebody, who may be the peer;
// if it returns at once nobody else wants the core, and the next wait may as well spin.
bool Communicator::yield(Ticket ticket, const Lock& lock) {
    const Clock::duration patience = others_busy(this) ? Clock::duration(0) : kYieldTime;
    const Clock::time_point start = Clock::now();
    core_share_.look(start);
    Clock::time_point before = start;
    for (;;) {
        bool moved = false;
        for (int i = 0; i < kYieldsPerLook; ++i) {
            if (engine_.done(ticket)) return true;
            if (advance_locked(lock)) {
                moved = true;
                i = 0;
            } else {
                std::this_thread::yield();
            }
        }
        const Clock::time_point now = Clock::now();
        const bool wanted = now - before > kYieldsPerLook * kQuickYield;
        if (!moved) spin_ = wanted ? std::max(spin_ / 2, kShortestSpin) : longest_spin_;
        before = now;
        if (now - start >= patience) return engine_.done(ticket);
    }
}

void Communicator::issue(const std::shared_ptr<Work>& work) {
    Lock lock(mutex_);
    if (failure_watch_->told()) watch_locked(lock);
    count_unfinished(+1);
    queue_.push_back(work);
    submit_ready(lock);
}

// Hands over what may start, in the order of issue: a collective waits for all collectives before
// it, a send or receive for none (the engine keeps order per peer).
void Communicator::submit_ready(const Lock& lock) {
    bool collective_waits = false;
    for (auto entry = queue_.begin(); entry != queue_.end();) {
        Work& work = **entry;
        const bool collective = work.call.coll != xcclCollSendRecv;
        const bool ready =
            work.may_start.load(std::memory_order_acquire) && !(collective && collective_waits);
        if (!ready && failure_.ok()) {
            collective_waits |= collective;
            ++entry;
            continue;
        }
        auto ticket = failure_.ok() ? submit(work.call) : Result<Ticket>(failure_);
        if (ticket.ok()) {
            work.ticket = *ticket;
            work.record =
                recorder_.begin(descriptor_of(work.call, engine_.collectives_submitted()));
            recorder_.start_clock(work.record);
            running_.push_back(*entry);
        } else {
            work.result = refuse(ticket.status(), lock);
            count_unfinished(-1);
            work.done.store(true, std::memory_order_release);
        }
        entry = queue_.erase(entry);
    }
}

void Communicator::collect_done(const Lock& lock) {
    distrust(lock);
    settle_failure(lock);
    for (auto entry = running_.begin(); entry != running_.end();) {
        Work& work = **entry;
        if (!engine_.done(work.ticket)) {
            ++entry;
            continue;
        }
        work.result = engine_.status().ok() ? ok_status() : failure_;
        recorder_.stop_clock(work.record);
        recorder_.end(work.record, work.result.code());
        ++finished_;
        count_unfinished(-1);
        work.done.store(true, std::memory_order_release);
        entry = running_.erase(entry);
    }
}

// What was read in place is what the peer sent if it had not failed by then. It tells of a failure
// before its caller has its buffers back.
void Communicator::distrust_peers(const Lock& lock) {
    // Pairs with the fence of settle_new_failure(): who has read what came after, reads of the
    // failure.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (failure_watch_->told()) watch_locked(lock);
}

// Tells the carrier where to look first.
void Communicator::expect_from_blockage(Carrier& carrier) {
    const auto blockage = engine_.blockage();
    carrier.expect(blockage ? blockage->peer : -1);
}

bool Communicator::advance() {
    if (!busy()) return false;
    Lock lock(mutex_, std::try_to_lock);
    return lock.owns_lock() && advance_locked(lock);
}

void Communicator::wait(const Work& work) {
    wait_until([&] { return work.done.load(std::memory_order_acquire); },
               [&] { return shared_from_this(); });
}

void Communicator::drain() {
    wait_until([&] { return !busy(); }, [&] { return shared_from_this(); });
}

// After the first barrier all have called their last; who finds something left over does not come
// to the second one, so that all end with the same. After that the process may end without another
// call.
Status Communicator::finalize() {
    drain();
    Call call;
    call.coll = xcclCollBarrier;
    call.count = kFinalBarrierCount;
    XCCL_TRY(run(call));
    {
        const Lock lock(mutex_);
        engine_.check_unreceived();
        settle_failure(lock);
        if (!failure_.ok()) return failure_;
    }
    XCCL_TRY(run(call));
    const Lock lock(mutex_);
    links_->leave(Deadline::after(kFarewell));
    failure_watch_->say_farewell();
    return ok_status();
}

// ---- Waiting --------------------------------------------------------------------------------

void Communicator::sleep(microseconds limit) {
    links_->sleep(limit, [this] {
        Lock lock(mutex_, std::try_to_lock);
        return !lock.owns_lock() || advance_locked(lock) || !busy();
    });
}

void Communicator::watch() {
    Lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock()) watch_locked(lock);
}

void Communicator::watch_locked(const Lock& lock) {
    if (aborting_.load(std::memory_order_acquire)) {
        stop(invalid_usage("the communicator was aborted by this rank"));
    }
    const Status lost = failure_watch_->look();
    if (!lost.ok()) stop(lost);
    if (const auto blockage = engine_.blockage()) {
        watch_peer(*blockage, lock);
        watch_time(*blockage, Clock::now(), lock);
    }
    settle_failure(lock);
}

// Whoever has left sends nothing more; what it sent before may have come since the last look.
void Communicator::watch_peer(const Blockage& blockage, const Lock& lock) {
    if (blockage.peer < 0 || !has_left(blockage.peer)) return;
    if (advance_locked(lock)) return;
    stop(
        remote_error("{} has left the communicator (it destroyed its handle or ended) while {} "
                     "waits for it; finalize before you destroy, on all ranks",
                     membership_->name_of(blockage.peer), describe(blockage.operation)));
}

bool Communicator::has_left(int peer) const {
    if (links_->local_index(peer) >= 0) return failure_watch_->has_left(peer);
    return links_->carrier() != nullptr && links_->carrier()->has_left(peer);
}

// Deadlines, stalls and mismatches belong to the oldest operation that is blocked.
void Communicator::watch_time(const Blockage& blockage, Clock::time_point now, const Lock& lock) {
    if (blockage.operation != oldest_ || finished_ != finished_seen_) {
        oldest_ = blockage.operation;
        finished_seen_ = finished_;
        oldest_since_ = now;
    }
    if (moves_ != moves_seen_) {
        moves_seen_ = moves_;
        moved_at_ = last_mismatch_check_ = now;
        stall_told_ = missed_call_told_ = false;
    }
    if (options_.mismatch_check && now - last_mismatch_check_ > kMismatchPatience) {
        last_mismatch_check_ = now;
        Carrier* const carrier = links_->carrier();
        if (carrier && blockage.peer >= 0) carrier->tell(blockage.peer);
        engine_.check_mismatch();
    }
    const auto who = [&] {
        return blockage.peer >= 0 ? membership_->name_of(blockage.peer) : std::string("its turn");
    };
    if (options_.mismatch_check && now - moved_at_ > kMissedCallPatience)
        tell_missed_call(blockage, lock);
    const auto stalled = std::chrono::duration_cast<milliseconds>(now - moved_at_).count();
    if (options_.stall_warn_ms > 0 && !stall_told_ && stalled >= options_.stall_warn_ms) {
        stall_told_ = true;
        log(LogLevel::kWarn, rank(), rank_count(), "comm",
            "{} has waited {} ms for {}; is that rank late, or elsewhere?",
            describe(blockage.operation), stalled, who());
    }
    const auto taken = std::chrono::duration_cast<milliseconds>(now - oldest_since_).count();
    if (options_.timeout_ms > 0 && taken >= options_.timeout_ms) {
        stop(timeout_error(
            "rank {}: {} takes longer than its deadline of {} ms (timeoutMs or XCCL_TIMEOUT_MS); "
            "it waits for {}: see whether that rank is late or stuck",
            rank(), describe(blockage.operation), options_.timeout_ms, who()));
    }
}

// Each waits for the other: in a transfer against a collective, or on two communicators in opposite
// order. No error: another thread of this rank may make the call yet.
void Communicator::tell_missed_call(const Blockage& blockage, const Lock& lock) {
    if (missed_call_told_ || blockage.peer < 0) return;
    const RankInfo& place = membership_->members[static_cast<std::size_t>(blockage.peer)].place;
    std::string missed = blockage.point_to_point ? missed_call(place, lock) : std::string();
    // Of ranks that are threads of one process, nobody knows whose communicators are whose.
    const RankInfo& own = membership_->members[static_cast<std::size_t>(rank())].place;
    const bool one_process = place.host_key == own.host_key && place.process_key == own.process_key;
    if (missed.empty() && !one_process) missed = missed_call_elsewhere(this, place);
    if (missed.empty()) return;
    missed_call_told_ = true;
    log(LogLevel::kWarn, rank(), rank_count(), "comm",
        "{} waits for {}, but {}: if no other thread of this rank will make that call, the two "
        "wait for each other for ever; make the same calls in the same order on both",
        describe(blockage.operation), membership_->name_of(blockage.peer), missed);
}

std::string Communicator::missed_call(const RankInfo& place, const Lock&) {
    for (int peer = 0; peer < rank_count(); ++peer) {
        const RankInfo& there = membership_->members[static_cast<std::size_t>(peer)].place;
        if (peer == rank() || there.host_key != place.host_key ||
            there.process_key != place.process_key) {
            continue;
        }
        const auto theirs = links_->last_of(peer);
        if (!theirs || theirs->sequence <= engine_.collectives_submitted()) continue;
        return fmt::format("{} is in {}, which {} has not called", membership_->name_of(peer),
                           describe(*theirs), membership_->name_of(rank()));
    }
    return {};
}

std::string Communicator::missed_call(const RankInfo& place) {
    const Lock lock(mutex_, std::try_to_lock);
    std::string missed = lock.owns_lock() ? missed_call(place, lock) : std::string();
    if (missed.empty()) return missed;
    return missed + (options_.name.empty() ? " on another communicator"
                                           : fmt::format(" on communicator \"{}\"", options_.name));
}

// ---- Failing --------------------------------------------------------------------------------

Status Communicator::failure() const {
    if (failure_code() == xcclSuccess) return ok_status();
    const Lock lock(mutex_);
    return failure_;
}

// Ends everything pending, and says during what.
void Communicator::stop(const Status& cause) {
    if (!engine_.status().ok()) return;
    cause_ = !is_own(cause)
                 ? cause
                 : Status(cause.code(),
                          fmt::format("{}: {}", membership_->name_of(rank()), cause.text()));
    engine_.fail(with_place(cause_));
}

// A peer's failure, with what this rank was in.
Status Communicator::with_place(const Status& cause) const {
    if (cause.code() != xcclRemoteError) return cause;
    std::string where = "was in no operation yet";
    if (const auto blockage = engine_.blockage()) {
        where = "was in " + describe(blockage->operation);
    } else if (const auto last = engine_.last_collective()) {
        where = "was last in " + describe(*last);
    }
    return Status(cause.code(), fmt::format("{}; rank {} {}", cause.text(), rank(), where));
}

// Takes the engine's first failure for the communicator's, and tells the others. If they were told
// of another one before, that is this rank's, too: all ranks end with the same.
void Communicator::settle_new_failure(const Lock&) {
    if (Carrier* const carrier = links_->carrier()) carrier->keep_payloads();
    const Status mine = cause_.ok() ? engine_.status() : cause_;
    const Status first = failure_watch_->tell(mine, -1);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with that of distrust_peers()
    withdraw_buffers();
    const bool aborting = aborting_.load(std::memory_order_relaxed);
    const bool same = first.code() == mine.code() && first.text() == mine.text();
    failure_ = same || aborting ? engine_.status() : with_place(first);
    failure_code_.store(failure_.code(), std::memory_order_release);
    if (!aborting) log(LogLevel::kError, rank(), rank_count(), "comm", "{}", failure_.text());
    if (failure_.code() == xcclRemoteError) watch_others(this);
}

// Nobody writes into buffers that their callers have back.
void Communicator::withdraw_buffers() {
    const int index = links_->withdraw_buffers(Deadline::after(kLandingPatience));
    if (index < 0) return;
    const int peer = membership_->topology.ranks_of_node[static_cast<std::size_t>(
        membership_->topology.node_of_rank[static_cast<std::size_t>(rank())])]
                                                        [static_cast<std::size_t>(index)];
    log(LogLevel::kError, rank(), rank_count(), "comm",
        "{} was stopped while it wrote its part of a result into a buffer of rank {}; if it goes "
        "on, it writes the rest: end it before you use that buffer again",
        membership_->name_of(peer), rank());
}

// A call that this rank cannot take part in, though its arguments are good: the others would wait
// for it for ever.
Status Communicator::refuse(const Status& failure, const Lock& lock) {
    if (!failure_.ok()) return failure_;
    if (!is_own(failure)) return failure;
    stop(failure);
    settle_failure(lock);
    return failure_;
}

void Communicator::fail(const Status& failure) {
    const Lock lock(mutex_);
    stop(failure);
    settle_failure(lock);
}

void Communicator::abort() {
    aborting_.store(true, std::memory_order_release);
    (void)failure_watch_->tell(
        remote_error("{} aborted the communicator", membership_->name_of(rank())), rank());
    links_->wake();
    const Lock lock(mutex_);
    stop(invalid_usage("the communicator was aborted by this rank"));
    collect_done(lock);
    submit_ready(lock);
}

void Communicator::leave() {
    failure_watch_->leave();
}

// ---- Telling --------------------------------------------------------------------------------

Result<std::string> Communicator::explain(const Call& call) {
    const Lock lock(mutex_);
    return launcher_->explain(call);
}

std::string Communicator::dump() {
    const Lock lock(mutex_);
    nlohmann::json report;
    report["name"] = options_.name;
    report["rank"] = rank();
    report["ranks"] = rank_count();
    report["failure"] = failure_.text();
    if (const auto blockage = engine_.blockage()) {
        report["waiting"] = {{"for_rank", blockage->peer},
                             {"for", blockage->for_credit ? "room in its mailbox" : "its message"},
                             {"operation", describe(blockage->operation)},
                             {"step", blockage->step},
                             {"tile", blockage->tile}};
    }
    report["transports"] = nlohmann::json::object();
    for (const auto& [name, bytes] : links_->bytes_sent())
        report["transports"][name] = {{"payload_bytes_sent", bytes}};
    report["operations"] = nlohmann::json::parse(recorder_.json());
    return report.dump();
}

}  // namespace xccl
