#include "run/row_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "measure/timing_loop.h"
#include "run/library_call.h"

namespace xccl::perf {
namespace {

constexpr std::uint64_t kTimedSeed = 99;
constexpr int kMostComplaints = 20;  // of one thread
constexpr std::size_t kTrafficAlignment = 16;

xcclRedOp_t builtin(Operator op) {
    constexpr std::array<xcclRedOp_t, 5> kBuiltin = {xcclSum, xcclProd, xcclMax, xcclMin, xcclAvg};
    const auto index = static_cast<std::size_t>(op);
    return index < kBuiltin.size() ? kBuiltin[index] : xcclSum;
}

std::uint64_t scalar_bits(const ElementType& type, int value) {
    return type.is_float ? encode_float(type, value) : static_cast<std::uint64_t>(value);
}

}  // namespace

RowRunner::RowRunner(Session* session, int thread)
    : session_(session), thread_(thread), seats_(session->seats_of(thread)) {}

void RowRunner::begin(const Case& c) {
    case_ = c;
    handles_.assign(seats_.size(), builtin(c.op));
    if (c.op != Operator::kMulsum || !session_->collective->reduces) return;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        std::uint64_t scalar = scalar_bits(c.type, mulsum_scalar(seats_[i].rank));
        require(xcclRedOpCreatePreMulSum(&handles_[i], &scalar, c.type.type,
                                         xcclScalarHostImmediate, seats_[i].comm),
                seats_[i].comm);
    }
}

void RowRunner::end() {
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        if (handles_[i] < xcclNumOps) continue;
        require(xcclRedOpDestroy(handles_[i], seats_[i].comm), seats_[i].comm);
    }
}

void RowRunner::prepare(std::size_t bytes) {
    const int ranks = session_->group.rank_count;
    const std::size_t type_bytes = case_.type.bytes;
    const Collective& collective = *session_->collective;
    shape_ = {ranks, count_for(collective, bytes, type_bytes, ranks), case_.root, nullptr};
    if (collective.sends != Extent::kTraffic) return;
    const EnvironmentSettings& environment = *session_->environment;
    traffic_ = session_->matrix.empty()
                   ? spread_traffic(ranks, shape_.count, environment.spread,
                                    kTrafficAlignment / type_bytes)
                   : matrix_traffic(session_->matrix, ranks, environment.matrix_scale, type_bytes);
    shape_.traffic = &traffic_;
    if (!session_->matrix.empty()) {
        shape_.count = traffic_.busiest() / static_cast<std::size_t>(ranks);
    }
}

Task RowRunner::task(const Seat& seat, bool in_place, std::uint64_t seed) const {
    const Collective& collective = *session_->collective;
    const Operator op = collective.reduces ? case_.op : Operator::kNone;
    return {&collective,
            shape_,
            {case_.type, op, session_->group.rank_count, seed},
            seat.rank,
            in_place};
}

void RowRunner::fill(bool in_place, std::uint64_t seed) {
    for (const Seat& seat : seats_) seat.buffers->fill(task(seat, in_place, seed));
}

void RowRunner::place(bool in_place) {
    placements_.clear();
    for (const Seat& seat : seats_) {
        placements_.push_back(seat.buffers->place(task(seat, in_place, kTimedSeed)));
    }
}

void RowRunner::launch_one(long index) {
    if (seats_.size() > 1) require(xcclGroupStart());
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        const Seat& seat = seats_[i];
        const std::size_t offset = placements_[i].offset(index);
        const Call call{.send = placements_[i].send + offset,
                        .receive = placements_[i].receive + offset,
                        .type = case_.type.type,
                        .op = handles_[i],
                        .rank = seat.rank,
                        .comm = seat.comm,
                        .stream = seat.stream};
        require(session_->collective->launch(shape_, call), seat.comm);
    }
    if (seats_.size() > 1) require(xcclGroupEnd(), seats_.front().comm);
}

void RowRunner::launch(long first, int count) {
    if (count > 1) require(xcclGroupStart());
    for (int i = 0; i < count; ++i) launch_one(first + i);
    if (count > 1) require(xcclGroupEnd(), seats_.front().comm);
}

void RowRunner::wait() {
    for (const Seat& seat : seats_) {
        if (seat.stream != nullptr) require(xcclStreamSynchronize(seat.stream), seat.comm);
        xcclResult_t failure = xcclSuccess;
        require(xcclCommGetAsyncError(seat.comm, &failure), seat.comm);
        require(failure, seat.comm);
    }
}

void RowRunner::warm_up() {
    const SizeRange& sizes = session_->sizes;
    SizeRange doubled = sizes;
    doubled.factor = 2;
    for (std::optional<std::size_t> size = sizes.first_bytes; size; size = doubled.after(*size)) {
        session_->stopper->start_phase();
        prepare(*size);
        place(false);
        for (int i = 0; i < session_->options->warmup; ++i) launch(i, 1);
        wait();
    }
}

Measurement RowRunner::measure_placement(bool in_place) {
    const Options& o = *session_->options;
    session_->stopper->start_phase();
    place(in_place);
    if (o.checks > 0) fill(in_place, kTimedSeed);
    launch(0, 1);
    wait();

    const LoopShape loop{o.iterations, o.aggregated, std::max(o.replays, 1), o.blocking,
                         o.times_iterations()};
    const LoopActions actions{
        [&](long first, int count) { launch(first, count); },
        [&] { wait(); },
        [&] { session_->crew->barrier(thread_); },
    };
    const Timing timing = run_timing_loop(loop, actions);
    const double total = session_->crew->combine(thread_, timing.total, o.average);
    const double launching = session_->crew->combine(thread_, timing.launching, o.average);

    const Collective& collective = *session_->collective;
    const auto bytes = static_cast<double>(collective.size_count(shape_) * case_.type.bytes);
    Measurement m;
    m.time_us = 1e6 * (o.report_cpu_time ? launching : total);
    m.algorithm_gbs = total > 0 ? bytes / 1e9 / total : 0;
    m.bus_gbs = m.algorithm_gbs * collective.bus_factor(session_->group.rank_count);
    if (o.times_iterations()) m.iterations = combine_iterations(timing.iterations);
    session_->crew->barrier(thread_);
    const bool has_form = !in_place || collective.in_place != InPlace::kNone;
    if (o.checks > 0 && has_form) m.wrong = check(in_place);
    return m;
}

IterationTimes RowRunner::combine_iterations(const std::vector<double>& seconds) {
    const std::vector<double> all = session_->crew->gather(thread_, seconds);
    const std::size_t count = seconds.size();
    const auto processes = static_cast<std::size_t>(session_->processes->count());
    const std::size_t per_process = all.size() / processes;
    IterationTimes times;
    times.skipped = session_->options->skipped_iterations;
    times.times_us.assign(count, 0);
    std::vector<std::vector<double>> by_process(processes, std::vector<double>(count, 0));
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double us = 1e6 * all[i];
        double& of_process = by_process[i / per_process][i % count];
        of_process = std::max(of_process, us);
        times.times_us[i % count] = std::max(times.times_us[i % count], us);
    }
    if (processes > 1) times.per_process_us = std::move(by_process);
    times.summary_us =
        summarise(std::span(times.times_us).subspan(static_cast<std::size_t>(times.skipped)));
    return times;
}

long RowRunner::check(bool in_place) {
    long wrong = 0;
    bool own_is_wrong = false;
    for (int i = 0; i < session_->options->checks && wrong == 0; ++i) {
        const long own = check_once(in_place, static_cast<std::uint64_t>(i) + 1);
        own_is_wrong = own_is_wrong || own > 0;
        wrong = static_cast<long>(session_->crew->sum(thread_, static_cast<double>(own)));
    }
    if (own_is_wrong) ++failed_checks_;
    return wrong;
}

long RowRunner::check_once(bool in_place, std::uint64_t seed) {
    session_->stopper->start_phase();
    fill(in_place, seed);
    launch(0, 1);
    wait();
    std::size_t wrong = 0;
    for (const Seat& seat : seats_) {
        const Task of_seat = task(seat, in_place, seed);
        damage(seat, of_seat);
        const CheckResult result = seat.buffers->check(of_seat);
        wrong += result.wrong_count;
        if (result.first) complain(seat, *result.first, result.wrong_count, in_place);
    }
    return static_cast<long>(wrong);
}

// XCCL_TESTS_CORRUPT: a wrong result on purpose, to see that it is found.
void RowRunner::damage(const Seat& seat, const Task& of_seat) const {
    const auto& wanted = session_->environment->damage;
    if (!wanted || wanted->rank != seat.rank) return;
    if (wanted->index >= of_seat.collective->receive_count(shape_, seat.rank)) return;
    std::byte* const element =
        seat.buffers->place(of_seat).receive + of_seat.bytes_of(wanted->index);
    const ElementType& type = of_seat.pattern.type;
    // The highest bit but one: in a float, an exponent's, so that no tolerance covers it.
    const std::uint64_t bit = std::uint64_t{1} << (8 * type.bytes - 2);
    store_bits(type, load_bits(type, element) ^ bit, element);
}

void RowRunner::complain(const Seat& seat, const Mismatch& mismatch, std::size_t wrong,
                         bool in_place) {
    if (complaints_++ >= kMostComplaints) return;
    const std::string op =
        session_->collective->reduces ? fmt::format(" {}", name_of(case_.op)) : "";
    session_->progress->clear();
    std::fputs(fmt::format("{}_perf: wrong result: size {} {}{} {}, rank {}, element {}: expected "
                           "{}, got {} ({} wrong)\n",
                           session_->collective->name,
                           session_->collective->size_count(shape_) * case_.type.bytes,
                           case_.type.name, op, in_place ? "in place" : "out of place", seat.rank,
                           mismatch.index, mismatch.expected, mismatch.got, wrong)
                   .c_str(),
               stderr);
}

Row RowRunner::measure(std::size_t bytes) {
    prepare(bytes);
    const Collective& collective = *session_->collective;
    Row row;
    row.size = collective.size_count(shape_) * case_.type.bytes;
    row.count = shape_.count;
    row.type = case_.type.name;
    row.op = collective.shows_op ? name_of(case_.op) : name_of(Operator::kNone);
    row.root = collective.has_root ? case_.root : -1;
    row.iterations = session_->options->iterations;
    row.out_of_place = measure_placement(false);
    row.in_place = measure_placement(true);
    return row;
}

}  // namespace xccl::perf
