#include "measure.h"

#include <sys/resource.h>

#include <chrono>
#include <ctime>
#include <random>
#include <sstream>

#include "buffers.h"

namespace xccl::compare {
namespace {

using Clock = std::chrono::steady_clock;  // of the machine: the same for all its processes

constexpr std::int64_t kArrivalNanoseconds = 20'000;  // within which cold calls come, at random
// From here on the processors' time is read around each call; it takes half a microsecond.
constexpr std::size_t kProcessorTimeBytes = 64 << 10;

std::int64_t processor_nanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);  // of all threads
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

long involuntary_switches() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

std::int64_t nanoseconds(Clock::duration duration) {
    return std::chrono::nanoseconds(duration).count();
}

void spin(Clock::duration duration) {
    const auto start = Clock::now();
    while (Clock::now() - start < duration) {
        _mm_pause();
    }
}

class Arrivals {
  public:
    Arrivals(std::uint32_t seed, int rank) : draw_(seed * 1009 + static_cast<unsigned>(rank)) {}
    Clock::duration next() {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(draw_()) % kArrivalNanoseconds);
    }

  private:
    std::minstd_rand draw_;
};

struct Spent {
    std::int64_t start = 0;
    std::int64_t passed = 0;
    std::int64_t processor = 0;
};

Spent timed_run(Library& library, bool reads_processor_time) {
    const std::int64_t processor = reads_processor_time ? processor_nanoseconds() : 0;
    const auto before = Clock::now();
    library.run();
    const auto after = Clock::now();
    return {.start = nanoseconds(before.time_since_epoch()),
            .passed = nanoseconds(after - before),
            .processor = reads_processor_time ? processor_nanoseconds() - processor : 0};
}

}  // namespace

std::string measure(Library& library, StartingLine& line, const Request& request) {
    Buffers buffers(library, request);
    if (!buffers.are_there() || !library.prepare(buffers.call(0))) return "unfit";
    const bool is_cold = request.mode == Mode::kCold;
    const bool reads_processor_time = request.bytes >= kProcessorTimeBytes;
    Arrivals arrivals(request.seed, library.rank());
    std::ostringstream times;
    std::int64_t processor = 0;
    std::string wrong;
    std::size_t used = 0;  // pairs, since they were last written
    int first = 0;         // call since then
    const long switches = involuntary_switches();
    for (int call = 0; call < request.warm_ups + request.iterations; ++call) {
        if (call == 0 || used == request.pairs) {
            // A hot call's results are checked only at the end: to read them would change them.
            if (is_cold && wrong.empty()) wrong = buffers.difference(first, used);
            buffers.rewrite(call);
            first = call;
            used = 0;
        }
        if (is_cold) library.prepare(buffers.call(used));
        line.line_up();
        if (is_cold) spin(arrivals.next());
        const Spent spent = timed_run(library, reads_processor_time);
        line.finish();
        ++used;
        if (call < request.warm_ups) continue;
        times << ' ' << spent.start << ' ' << spent.passed;
        processor += spent.processor;
    }
    const long switched = involuntary_switches() - switches;
    if (wrong.empty()) wrong = buffers.difference(first, used);
    line.line_up();  // nobody lets a buffer go that another may still read
    library.release();
    if (!wrong.empty()) return "wrong " + wrong;
    return "times " + std::to_string(switched) + ' ' + std::to_string(processor) + times.str();
}

}  // namespace xccl::compare
