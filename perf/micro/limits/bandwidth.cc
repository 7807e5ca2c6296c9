// The bandwidth of one core and of two together, reading, writing and copying what fits each cache
// and what fits none, with ordinary and with non-temporal stores.
//
// A figure is the bytes that are read, or written, or copied (each counted once) in a second, by
// all cores together. Memory is in huge pages where the kernel gives them. A pass over what fits no
// cache is a batch of its own; smaller sizes are passed over often enough to fill one. What is
// between 2 and 64 times the private cache may be anywhere in the L3 cache; a virtual machine does
// not know how much of it is its own.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

#include "limits/groups.h"
#include "limits/pair.h"
#include "limits/streams.h"
#include "measure/caches.h"

namespace xccl::limits {
namespace {

struct Level {
    const char* name = "";
    std::size_t bytes = 0;
};

// Half of a cache, since the other half holds what else is going on; of memory, twice the last
// cache, but not more than can be touched in reasonable time.
std::vector<Level> levels() {
    constexpr std::size_t kPiece = 4096;
    constexpr std::size_t kMostMemory = 512 << 20;
    const std::size_t first = perf::cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    const std::size_t second = perf::cache_bytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
    const std::size_t third = perf::cache_bytes(_SC_LEVEL3_CACHE_SIZE, 16 << 20);
    const auto whole = [](std::size_t bytes) { return bytes / kPiece * kPiece; };
    return {{"L1", whole(first / 2)},
            {"L2", whole(second / 2)},
            {"L3", whole(std::max(second * 2, std::min(second * 8, third / 4)))},
            {"memory", whole(std::min(kMostMemory, std::max(third * 2, second * 16)))}};
}

// Written once, since pages that nobody wrote are all the same one.
class Memory {
  public:
    explicit Memory(std::size_t bytes) : bytes_(bytes) {
        memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory_ == MAP_FAILED) give_up("no memory for the largest size");
        madvise(memory_, bytes, MADV_HUGEPAGE);
        std::memset(memory_, 1, bytes);
    }
    ~Memory() { munmap(memory_, bytes_); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    Memory(Memory&&) = delete;
    Memory& operator=(Memory&&) = delete;
    char* bytes() const { return static_cast<char*>(memory_); }

  private:
    std::size_t bytes_;
    void* memory_ = nullptr;
};

struct Kind {
    const char* name = "";
    std::size_t parts = 1;  // of what is touched, 1 / parts is what was to be done
    void (*pass)(char* memory, std::size_t bytes) = nullptr;
};

constexpr Kind kKinds[] = {
    {"read", 1, [](char* memory, std::size_t bytes) { widest_streams().read(memory, bytes); }},
    {"write", 1, [](char* memory, std::size_t bytes) { widest_streams().write(memory, bytes); }},
    {"copy", 2,
     [](char* memory, std::size_t bytes) {
         widest_streams().copy(memory, memory + bytes / 2, bytes / 2);
     }},
    {"write_past_caches", 1,
     [](char* memory, std::size_t bytes) { widest_streams().write_past_caches(memory, bytes); }},
    {"copy_past_caches", 2,
     [](char* memory, std::size_t bytes) {
         widest_streams().copy_past_caches(memory, memory + bytes / 2, bytes / 2);
     }},
};

struct Batches {
    int count = 0;
    int passes = 0;  // in each
};

Batches batches_of(const Effort& effort, const Level& level) {
    constexpr double kTypicalRate = 20e9;  // ten times more or less are good batches, too
    const double passes = effort.batch_seconds * kTypicalRate / static_cast<double>(level.bytes);
    if (passes < 1) return {.count = effort.large_batches, .passes = 1};
    return {.count = effort.batches, .passes = static_cast<int>(passes)};
}

// Where the cores line up before and after each batch, and say how long they took for it.
struct Track {
    alignas(64) std::atomic<int> arrivals{0};
    alignas(64) std::atomic<double> other_seconds{0};

    void line_up(int awaited) {
        arrivals.fetch_add(1, std::memory_order_acq_rel);  // pairs with the loads of the other
        while (arrivals.load(std::memory_order_acquire) < awaited) {
        }
    }
};

// What one core does, in memory of its own. The first one gathers the seconds of each batch, of the
// slower one of both cores.
void run_batches(const Kind& kind, const Level& level, Batches batches, int cores, Track& track,
                 std::vector<double>* slower) {
    const Memory memory(level.bytes);
    kind.pass(memory.bytes(), level.bytes);
    for (int batch = 0; batch < batches.count; ++batch) {
        track.line_up(cores * (2 * batch + 1));
        const auto start = std::chrono::steady_clock::now();
        for (int pass = 0; pass < batches.passes; ++pass) kind.pass(memory.bytes(), level.bytes);
        const double seconds = seconds_since(start);
        if (slower == nullptr) track.other_seconds.store(seconds, std::memory_order_relaxed);
        track.line_up(cores * (2 * batch + 2));
        if (slower == nullptr) continue;
        slower->push_back(std::max(seconds, track.other_seconds.load(std::memory_order_relaxed)));
    }
}

Figure bandwidth(const Effort& effort, const Kind& kind, const Level& level, int cores) {
    const std::string name =
        std::string(kind.name) + "_" + level.name + (cores == 1 ? "_one_core" : "_two_cores");
    if (cores > core_count()) return no_figure(name, "GB/s", "needs two cores");
    const Batches batches = batches_of(effort, level);
    Shared<Track> track;
    std::vector<double> samples;
    const auto mine = [&] { run_batches(kind, level, batches, cores, *track, &samples); };
    const auto other = [&] { run_batches(kind, level, batches, cores, *track, nullptr); };
    if (cores == 1) {
        mine();
    } else {
        run_pair({}, mine, other);
    }
    const auto counted =
        static_cast<double>(level.bytes) / static_cast<double>(kind.parts) * cores * batches.passes;
    for (double& sample : samples) sample = counted / sample * 1e-9;
    return figure_of(name, "GB/s", samples);
}

}  // namespace

std::vector<Figure> bandwidth_figures(const Effort& effort) {
    std::vector<Figure> figures;
    for (const Level& level : levels()) {
        for (const int cores : {1, 2}) {
            for (const Kind& kind : kKinds) {
                figures.push_back(bandwidth(effort, kind, level, cores));
            }
        }
    }
    return figures;
}

}  // namespace xccl::limits
