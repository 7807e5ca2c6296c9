// Memory policies whose every access goes through Relacy, a checker of the C++ memory model: it
// runs small programs under many interleavings, lets relaxed loads return old values, and reports
// data races, failed assertions and livelocks.
//
// Include this last: it includes Relacy, which redefines words of the language for those who write
// tests in its own style. Here they are given back.
#pragma once

#include <atomic>
#include <cstdint>
#include <ostream>
#include <streambuf>
#include <string>

#include "transport/memory_policy.h"

#include <relacy/relacy.hpp>
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

namespace xccl::testing {

inline rl::memory_order relacy_order(std::memory_order order) {
    switch (order) {
        case std::memory_order_relaxed:
            return rl::mo_relaxed;
        case std::memory_order_acquire:
            return rl::mo_acquire;
        case std::memory_order_release:
            return rl::mo_release;
        default:
            return rl::mo_seq_cst;
    }
}

template <typename T>
class RelacyAtomic {
  public:
    RelacyAtomic() : RelacyAtomic(T{}) {}
    RelacyAtomic(T value) { word_.store(value, rl::mo_relaxed, $); }  // NOLINT: as std::atomic

    T load(std::memory_order order) const { return word_.load(relacy_order(order), $); }
    void store(T value, std::memory_order order) { word_.store(value, relacy_order(order), $); }
    T fetch_and(T value, std::memory_order order) {
        return word_.fetch_and(value, relacy_order(order), $);
    }
    bool compare_exchange_strong(T& expected, T value, std::memory_order order) {
        return word_.compare_exchange_strong(expected, value, relacy_order(order), $);
    }
    bool compare_exchange_weak(T& expected, T value, std::memory_order success,
                               std::memory_order failure) {
        return word_.compare_exchange_weak(expected, value, relacy_order(success), $,
                                           relacy_order(failure), $);
    }

  private:
    rl::atomic<T> word_;
};

template <typename T>
class RelacyPlain {
  public:
    RelacyPlain() : RelacyPlain(T{}) {}
    RelacyPlain(T value) { *this = value; }  // NOLINT: as a plain T
    RelacyPlain& operator=(T value) {
        word_($) = value;
        return *this;
    }
    operator T() const { return word_($); }  // NOLINT: as a plain T

  private:
    rl::var<T> word_;
};

// Which order is taken away.
enum class Weakened {
    kNothing,
    kFlagStore,
    kFlagLoad,
    kConsumedStore,
    kConsumedLoad,
    kFailureStore,
    kFailureLoad,
    kArmStore,
    kArmTake,
};

template <Weakened kWeakened>
struct RelacyMemory {
    template <typename T>
    using Atomic = RelacyAtomic<T>;
    template <typename T>
    using Plain = RelacyPlain<T>;

    static constexpr std::memory_order unless(Weakened weakened, std::memory_order order) {
        return weakened == kWeakened ? std::memory_order_relaxed : order;
    }
    static constexpr auto kFlagStore = unless(Weakened::kFlagStore, HostMemory::kFlagStore);
    static constexpr auto kFlagLoad = unless(Weakened::kFlagLoad, HostMemory::kFlagLoad);
    static constexpr auto kConsumedStore =
        unless(Weakened::kConsumedStore, HostMemory::kConsumedStore);
    static constexpr auto kConsumedLoad =
        unless(Weakened::kConsumedLoad, HostMemory::kConsumedLoad);
    static constexpr auto kFailureStore =
        unless(Weakened::kFailureStore, HostMemory::kFailureStore);
    static constexpr auto kFailureLoad = unless(Weakened::kFailureLoad, HostMemory::kFailureLoad);
    static constexpr auto kArmStore = unless(Weakened::kArmStore, HostMemory::kArmStore);
    static constexpr auto kArmTake = unless(Weakened::kArmTake, HostMemory::kArmTake);
};

// What Relacy prints. Never allocates: while a suite runs, memory comes from Relacy.
class FixedOutput : public std::streambuf {
  public:
    FixedOutput() { setp(text_, text_ + sizeof text_); }  // what does not fit is lost
    std::string text() const { return {pbase(), pptr()}; }

  private:
    char text_[1 << 16];
};

// Runs a Relacy test suite until it fails, or `iterations` times. What it printed is in *report.
template <class Suite>
rl::test_result_e check_memory_model(unsigned iterations, std::string* report) {
    FixedOutput text;
    std::ostream output(&text);
    rl::test_params parameters;
    parameters.iteration_count = iterations;
    parameters.execution_depth_limit = 5000;
    parameters.output_stream = &output;
    parameters.progress_stream = &output;
    rl::simulate<Suite>(parameters);
    *report = text.text();
    return parameters.test_result;
}

}  // namespace xccl::testing
