#include "observe/recorder.h"

#include <nlohmann/json.hpp>

namespace xccl {

FlightRecorder::FlightRecorder() : first_cycles_(cycles()), first_time_(Clock::now()) {}

OperationDescriptor FlightRecorder::Entry::load() const {
    std::uint64_t words[3];
    for (int i = 0; i < 3; ++i) words[i] = operation[i].load(std::memory_order_relaxed);
    OperationDescriptor descriptor;
    __builtin_memcpy(static_cast<void*>(&descriptor), words, sizeof words);
    return descriptor;
}

std::string FlightRecorder::json() const {
    using Microseconds = std::chrono::duration<double, std::micro>;
    const std::uint64_t now = cycles();
    const double elapsed = Microseconds(Clock::now() - first_time_).count();
    const double per_cycle =
        now > first_cycles_ ? elapsed / static_cast<double>(now - first_cycles_) : 0;
    const auto microseconds = [&](std::uint64_t from, std::uint64_t to) {
        return to > from ? static_cast<double>(to - from) * per_cycle : 0.0;
    };
    auto list = nlohmann::json::array();
    const std::uint64_t oldest = next_ > kEntryCount ? next_ - kEntryCount : 0;
    for (std::uint64_t i = oldest; i < next_; ++i) {
        const Entry& entry = entries_[i & (kEntryCount - 1)];
        const std::uint64_t started = entry.started.load(std::memory_order_relaxed);
        const std::uint64_t ended = entry.ended.load(std::memory_order_relaxed);
        const int result = entry.result.load(std::memory_order_relaxed);
        nlohmann::json start, duration;  // null
        if (started != 0) start = microseconds(first_cycles_, started) / 1000;
        if (started != 0 && (ended != 0 || result == xcclInProgress)) {
            duration = microseconds(started, ended != 0 ? ended : now);
        }
        list.push_back({{"operation", describe(entry.load())},
                        {"start_ms", start},
                        {"duration_us", duration},
                        {"state", result == xcclInProgress ? "pending"
                                  : result == xcclSuccess  ? "done"
                                                           : "failed"},
                        {"result", result}});
    }
    return list.dump();
}

}  // namespace xccl
