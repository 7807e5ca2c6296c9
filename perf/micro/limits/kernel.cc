// What the kernel takes for what a communication library asks of it: any system call at all,
// handing a core over to another process, and waking one that sleeps.
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

#include "limits/groups.h"
#include "limits/pair.h"

namespace xccl::limits {
namespace {

Figure system_call(const Effort& effort) {
    return figure_of("system_call", "ns",
                     times(seconds_per_call(effort,
                                            [](long count) {
                                                for (; count > 0; --count) syscall(SYS_getppid);
                                            }),
                           1e9));
}

Figure yield_alone(const Effort& effort) {
    return figure_of("yield_alone", "ns",
                     times(seconds_per_call(effort,
                                            [](long count) {
                                                for (; count > 0; --count) sched_yield();
                                            }),
                           1e9));
}

struct Turn {
    alignas(64) std::atomic<std::uint64_t> number{0};
};

// From the moment at which one process has its answer ready until the other one, on the same core,
// has seen it: half a round trip of who yields until it is its turn.
Figure yield_handover(const Effort& effort) {
    constexpr std::uint64_t kEnd = ~std::uint64_t{0};
    Shared<Turn> turn;
    std::vector<double> samples;
    const auto mine = [&] {
        std::uint64_t number = 0;
        samples = seconds_per_call(effort, [&](long count) {
            for (; count > 0; --count) {
                number += 2;
                turn->number.store(number - 1, std::memory_order_release);  // pairs with `other`
                while (turn->number.load(std::memory_order_acquire) != number) sched_yield();
            }
        });
        turn->number.store(kEnd, std::memory_order_release);  // pairs with `other`
    };
    const auto other = [&] {
        for (std::uint64_t number = 1;; number += 2) {
            std::uint64_t seen = 0;
            while ((seen = turn->number.load(std::memory_order_acquire)) != number) {
                if (seen == kEnd) return;
                sched_yield();
            }
            turn->number.store(number + 1, std::memory_order_release);  // pairs with `mine`
        }
    };
    run_pair({.mine = 0, .other = 0}, mine, other);
    return figure_of("yield_handover", "ns", times(samples, 1e9 / 2));
}

struct Bell {
    alignas(64) std::atomic<std::uint32_t> rings{0};
    std::atomic<std::int64_t> rung_at{0};
};

std::int64_t nanoseconds() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void sleep_until(Bell& bell, std::uint32_t rings) {
    while (bell.rings.load(std::memory_order_acquire) != rings) {  // pairs with ring()
        syscall(SYS_futex, &bell.rings, FUTEX_WAIT, rings - 1, nullptr, nullptr, 0);
    }
}

void ring(Bell& bell) {
    bell.rung_at.store(nanoseconds(), std::memory_order_relaxed);
    bell.rings.fetch_add(1, std::memory_order_release);  // pairs with sleep_until()
    syscall(SYS_futex, &bell.rings, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

// From before a wake to the moment at which the woken process runs. Where it has a core of its own,
// the waker first lets enough time pass that it surely sleeps.
Figure futex_wake(const Effort& effort, Places places, const char* name) {
    constexpr std::int64_t kAsleepNanoseconds = 50'000;
    constexpr int kWakesPerBatch = 20;
    struct Bells {
        Bell theirs;
        Bell mine;
        std::atomic<std::int64_t> passed{0};
    };
    const bool has_own_core = places.mine != places.other;
    const auto wakes = static_cast<std::uint32_t>(effort.batches * kWakesPerBatch);
    Shared<Bells> bells;
    std::vector<double> samples;
    const auto mine = [&] {
        double sum = 0;
        for (std::uint32_t wake = 1; wake <= wakes; ++wake) {
            for (const std::int64_t start = nanoseconds();
                 has_own_core && nanoseconds() < start + kAsleepNanoseconds;) {
            }
            ring(bells->theirs);
            sleep_until(bells->mine, wake);
            sum += static_cast<double>(bells->passed.load(std::memory_order_relaxed));
            if (wake % kWakesPerBatch != 0) continue;
            samples.push_back(sum / kWakesPerBatch);
            sum = 0;
        }
    };
    const auto other = [&] {
        for (std::uint32_t wake = 1; wake <= wakes; ++wake) {
            sleep_until(bells->theirs, wake);
            bells->passed.store(
                nanoseconds() - bells->theirs.rung_at.load(std::memory_order_relaxed),
                std::memory_order_relaxed);
            ring(bells->mine);
        }
    };
    run_pair(places, mine, other);
    return figure_of(name, "us", times(samples, 1e-3));
}

}  // namespace

std::vector<Figure> kernel_figures(const Effort& effort) {
    std::vector<Figure> figures = {
        system_call(effort), yield_alone(effort), yield_handover(effort),
        futex_wake(effort, {.mine = 0, .other = 0}, "futex_wake_same_core")};
    figures.push_back(core_count() < 2 ? no_figure("futex_wake_other_core", "us", "needs two cores")
                                       : futex_wake(effort, {}, "futex_wake_other_core"));
    return figures;
}

}  // namespace xccl::limits
