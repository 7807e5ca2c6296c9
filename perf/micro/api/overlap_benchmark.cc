// Question: does an all-reduce on a host stream hide behind computing on the same core?
//
//   xccl-run -n 2 overlap_benchmark [--bytes N] [--rounds N] [--compute-factor X] [--poll-us N]
//
// Method: ranks are processes, each pinned to one core with all its threads, so that whatever the
// library does in the background takes the core from the computing. In each round every rank does
// four things, each after a barrier, in an order that turns from round to round:
//
//     compute      a loop over data in the first-level cache, cut into pieces
//     reduce       an all-reduce on a stream, and xcclStreamSynchronize
//     polling      both; after each piece of the computing xcclStreamQuery, then synchronize
//     silent       both; not one call into the library before xcclStreamSynchronize
//
// The time of each is that of its slowest rank. `waiting` is what the all-reduce alone leaves of
// its core: its wall time less the CPU time of its process, the mean over ranks. Reported are
//
//     together / (compute + reduce)                             1 is as good as one after the other
//     hidden = (compute + reduce - together) / waiting          1 is all of the waiting
//
// as medians over rounds with a 95 % bootstrap interval, one JSON line for each of the two ways.
// Every sum is checked, untimed.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "measure/cores.h"
#include "xccl.h"

namespace {

constexpr int kWarmUpRounds = 2;
constexpr int kTrials = 7;  // to choose how long to compute
constexpr int kResamples = 2000;
constexpr double kLeastWaitingShare = 0.2;  // of the all-reduce alone: below it nothing can hide

struct Options {
    std::size_t bytes = std::size_t{16} << 20;
    int rounds = 15;
    double compute_factor = 1.2;  // computing, in times of the all-reduce alone
    double poll_us = 100;         // computing between two calls of xcclStreamQuery
};

[[noreturn]] void give_up(const std::string& text) {
    std::fprintf(stderr, "overlap_benchmark: %s\n", text.c_str());
    std::exit(1);
}

void check(xcclResult_t result) {
    if (result != xcclSuccess) give_up(xcclGetLastError(nullptr));
}

Options options_of(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        char* end = nullptr;
        const double value = i + 1 < argc ? std::strtod(argv[i + 1], &end) : 0;
        if (end == nullptr || *end != '\0' || !(value > 0)) {
            give_up(name + " needs a number above 0");
        }
        if (name == "--bytes") {
            options.bytes = static_cast<std::size_t>(value);
        } else if (name == "--rounds") {
            options.rounds = static_cast<int>(value);
        } else if (name == "--compute-factor") {
            options.compute_factor = value;
        } else if (name == "--poll-us") {
            options.poll_us = value;
        } else {
            give_up(name + " is unknown; there are --bytes, --rounds, --compute-factor, --poll-us");
        }
    }
    if (options.bytes < sizeof(float) || options.rounds < 1) give_up("nothing to measure");
    return options;
}

// The whole process, before the library starts any thread. With more ranks than cores they share.
void pin_to_core(int rank) {
    const int cores = xccl::perf::core_count();
    if (cores == 0 || !xccl::perf::take_core(rank % cores)) give_up("cannot be pinned to a core");
}

double microseconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// ---- What a rank does -----------------------------------------------------------------------

class Computing {
  public:
    // One piece of the loop; its length in passes is chosen by calibrate().
    void piece() {
        for (long pass = 0; pass < passes_; ++pass) {
            for (float& value : values_) value = value * 0.999f + 0.001f;
        }
        if (values_[0] > 2) give_up("the computing has gone wrong");  // and is not optimised away
    }
    void calibrate(double piece_us) {
        passes_ = 64;
        constexpr int kPieces = 51;
        std::vector<double> taken;
        taken.reserve(kPieces);
        for (int i = 0; i < kPieces; ++i) {
            const double before = microseconds(CLOCK_MONOTONIC);
            piece();
            taken.push_back(microseconds(CLOCK_MONOTONIC) - before);
        }
        passes_ = std::max(1L, std::lround(64 * piece_us / std::max(0.01, median(taken))));
    }

  private:
    std::array<float, 4096> values_{};
    long passes_ = 1;
};

enum Task { kCompute, kReduce, kPolling, kSilent, kTaskCount };

struct Sample {
    double wall_us = 0;
    double cpu_us = 0;
};
using Round = std::array<Sample, kTaskCount>;

class Rank {
  public:
    explicit Rank(const Options& options);
    ~Rank();
    Rank(const Rank&) = delete;
    Rank& operator=(const Rank&) = delete;
    Rank(Rank&&) = delete;
    Rank& operator=(Rank&&) = delete;

    int rank() const { return job_.rank; }
    int rank_count() const { return job_.nranks; }
    // Makes the computing as long as was asked for, alike on all ranks.
    void choose_length();
    Round round(int number);
    // Of all ranks, by rank.
    std::vector<Round> gather(const Round& mine);

  private:
    Sample time(Task task);
    double typical_us(Task task);  // of the slowest rank, alike on all
    void reduce();
    void compute(bool poll);
    void check_sum();

    const Options options_;
    xcclLaunchInfo_t job_{};
    xcclComm_t comm_ = nullptr;
    xcclStream_t stream_ = nullptr;
    Computing computing_;
    int pieces_ = 1;
    std::vector<float> input_, output_;
};

Rank::Rank(const Options& options) : options_(options) {
    job_.size = sizeof job_;
    check(xcclGetLaunchInfo(&job_));
    if (job_.nranks < 2) give_up("needs at least two ranks: xccl-run -n 2 overlap_benchmark");
    pin_to_core(job_.rank);
    xcclUniqueId id;
    check(xcclGetJobUniqueId(&id));
    check(xcclCommInitRank(&comm_, job_.nranks, id, job_.rank));
    check(xcclStreamCreate(&stream_));
    input_.assign(options.bytes / sizeof(float), static_cast<float>(job_.rank + 1));
    output_.resize(input_.size());
    computing_.calibrate(options.poll_us);
}

Rank::~Rank() {
    check(xcclStreamDestroy(stream_));
    check(xcclCommFinalize(comm_));
    check(xcclCommDestroy(comm_));
}

void Rank::reduce() {
    check(xcclAllReduce(input_.data(), output_.data(), input_.size(), xcclFloat32, xcclSum, comm_,
                        stream_));
}

void Rank::compute(bool poll) {
    for (int i = 0; i < pieces_; ++i) {
        computing_.piece();
        if (!poll) continue;
        const xcclResult_t result = xcclStreamQuery(stream_);
        if (result != xcclInProgress) check(result);
    }
}

void Rank::check_sum() {
    const int sum_of_ranks = job_.nranks * (job_.nranks + 1) / 2;
    const auto expected = static_cast<float>(sum_of_ranks);
    for (float& value : output_) {
        if (value != expected) give_up("a wrong sum: " + std::to_string(value));
        value = 0;
    }
}

Sample Rank::time(Task task) {
    check(xcclBarrier(comm_, nullptr));
    const double wall = microseconds(CLOCK_MONOTONIC);
    const double cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID);
    if (task != kCompute) reduce();
    if (task != kReduce) compute(task == kPolling);
    if (task != kCompute) check(xcclStreamSynchronize(stream_));
    const Sample sample{.wall_us = microseconds(CLOCK_MONOTONIC) - wall,
                        .cpu_us = microseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu};
    if (task != kCompute) check_sum();
    return sample;
}

double Rank::typical_us(Task task) {
    std::vector<double> taken;
    taken.reserve(kTrials);
    for (int i = 0; i < kTrials; ++i) taken.push_back(time(task).wall_us);
    double slowest = median(taken);
    check(xcclAllReduce(&slowest, &slowest, 1, xcclFloat64, xcclMax, comm_, nullptr));
    return slowest;
}

// Two steps: the first estimate holds for an idle neighbour, the second for one that computes, too.
void Rank::choose_length() {
    for (int i = 0; i < kTrials; ++i) time(kReduce);
    const double wanted_us = typical_us(kReduce) * options_.compute_factor;
    pieces_ = static_cast<int>(std::max(1.0, wanted_us / options_.poll_us));
    const double taken_us = typical_us(kCompute);
    pieces_ = std::max(1, static_cast<int>(pieces_ * wanted_us / taken_us));
}

Round Rank::round(int number) {
    Round samples;
    for (int i = 0; i < kTaskCount; ++i) {
        const auto task = static_cast<Task>((i + number) % kTaskCount);
        samples[static_cast<std::size_t>(task)] = time(task);
    }
    return samples;
}

std::vector<Round> Rank::gather(const Round& mine) {
    std::vector<Round> all(static_cast<std::size_t>(job_.nranks));
    check(xcclAllGather(&mine, all.data(), sizeof mine, xcclUint8, comm_, nullptr));
    return all;
}

// ---- What the rounds say --------------------------------------------------------------------

// Of one round, over its ranks.
struct Summary {
    std::array<double, kTaskCount> wall_us{};  // of the slowest
    double waiting_us = 0;
};

Summary summary_of(const std::vector<Round>& ranks) {
    Summary summary;
    for (const Round& rank : ranks) {
        for (std::size_t task = 0; task < kTaskCount; ++task) {
            summary.wall_us[task] = std::max(summary.wall_us[task], rank[task].wall_us);
        }
        const Sample& reduce = rank[kReduce];
        summary.waiting_us += std::max(0.0, reduce.wall_us - reduce.cpu_us);
    }
    summary.waiting_us /= static_cast<double>(ranks.size());
    return summary;
}

// Median with its 95 % bootstrap interval, as JSON.
std::string with_interval(const std::vector<double>& values) {
    std::mt19937 draw(1);  // the same data give the same interval
    std::uniform_int_distribution<std::size_t> any(0, values.size() - 1);
    std::vector<double> medians;
    medians.reserve(kResamples);
    for (int i = 0; i < kResamples; ++i) {
        std::vector<double> resampled;
        resampled.reserve(values.size());
        for (std::size_t k = 0; k < values.size(); ++k) resampled.push_back(values[any(draw)]);
        medians.push_back(median(resampled));
    }
    std::sort(medians.begin(), medians.end());
    char text[96];
    std::snprintf(text, sizeof text, "[%.3f, %.3f, %.3f]", median(values), medians[kResamples / 40],
                  medians[kResamples - 1 - kResamples / 40]);
    return text;
}

void report(const char* way, Task task, int rank_count, const Options& options,
            const std::vector<Summary>& rounds) {
    std::vector<double> compute, reduce, together, waiting, ratio, hidden;
    for (auto* list : {&compute, &reduce, &together, &waiting, &ratio, &hidden}) {
        list->reserve(rounds.size());
    }
    for (const Summary& round : rounds) {
        compute.push_back(round.wall_us[kCompute]);
        reduce.push_back(round.wall_us[kReduce]);
        together.push_back(round.wall_us[task]);
        waiting.push_back(round.waiting_us);
        const double one_by_one = compute.back() + reduce.back();
        ratio.push_back(together.back() / one_by_one);
        hidden.push_back((one_by_one - together.back()) / std::max(1.0, waiting.back()));
    }
    const bool can_hide = median(waiting) >= kLeastWaitingShare * median(reduce);
    std::printf(
        "{\"way\":\"%s\",\"ranks\":%d,\"bytes\":%zu,\"rounds\":%zu,\"compute_us\":%.0f,"
        "\"reduce_us\":%.0f,\"together_us\":%.0f,\"waiting_us\":%.0f,"
        "\"together_of_one_by_one\":%s,\"hidden\":%s}\n",
        way, rank_count, options.bytes, rounds.size(), median(compute), median(reduce),
        median(together), median(waiting), with_interval(ratio).c_str(),
        can_hide ? with_interval(hidden).c_str() : "null");
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = options_of(argc, argv);
    Rank rank(options);
    rank.choose_length();
    std::vector<Summary> rounds;
    rounds.reserve(static_cast<std::size_t>(options.rounds));
    for (int number = 0; number < kWarmUpRounds + options.rounds; ++number) {
        const Summary summary = summary_of(rank.gather(rank.round(number)));
        if (number >= kWarmUpRounds) rounds.push_back(summary);
    }
    if (rank.rank() == 0) {
        report("polling", kPolling, rank.rank_count(), options, rounds);
        report("silent", kSilent, rank.rank_count(), options, rounds);
    }
    return 0;
}
