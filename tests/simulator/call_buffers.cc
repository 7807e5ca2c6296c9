#include "simulator/call_buffers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/datatypes.h"

namespace xccl::simulator {
namespace {

constexpr std::size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xa5};
constexpr std::byte kUntouched{0x5c};  // what an output holds before

bool all_are(const std::byte* first, const std::byte* last, std::byte value) {
    return std::all_of(first, last, [value](std::byte b) { return b == value; });
}

bool scatters(const Operation& operation) {
    return operation.coll == xcclCollReduceScatter || operation.coll == xcclCollScatter ||
           operation.coll == xcclCollReduceScatterv;
}

// Fills an input, gaps between blocks included.
void fill(const Operation& operation, int rank, int rank_count, std::byte* data) {
    write_input(operation, rank, rank_count, 0, input_elements(operation, rank, rank_count), data);
}

// The data of a transfer: as a broadcast of its own.
Operation as_operation(const Operation& group, std::size_t index) {
    Operation operation;
    operation.coll = xcclCollBroadcast;
    operation.type = group.type;
    operation.root = group.transfers[index].from;
    operation.count = group.transfers[index].count;
    operation.salt = group.salt + index;
    return operation;
}

std::vector<std::byte> bytes_of_transfer(const Operation& group, std::size_t index) {
    const Operation operation = as_operation(group, index);
    std::vector<std::byte> bytes(operation.count * element_bytes(operation.type));
    write_input(operation, operation.root, 1, 0, operation.count, bytes.data());
    return bytes;
}

std::optional<std::string> first_difference(const std::byte* found,
                                            const std::vector<std::byte>& expected,
                                            const char* what, std::size_t width) {
    if (expected.empty() || std::memcmp(found, expected.data(), expected.size()) == 0) {
        return std::nullopt;
    }
    const auto place = std::mismatch(expected.begin(), expected.end(), found).first;
    const auto byte = static_cast<std::size_t>(place - expected.begin());
    return fmt::format("{} is wrong at element {}: byte {:#04x} instead of {:#04x}", what,
                       byte / width, std::to_integer<int>(found[byte]),
                       std::to_integer<int>(expected[byte]));
}

}  // namespace

CallBuffers::Guarded::Guarded(std::size_t byte_count, std::size_t misalignment)
    : memory_(byte_count + 2 * kGuardBytes + misalignment, kGuard),
      start_(kGuardBytes + misalignment),
      size_(byte_count) {
    std::fill_n(data(), size_, kUntouched);
}

bool CallBuffers::Guarded::guards_intact() const {
    return memory_.empty() || (all_are(memory_.data(), data(), kGuard) &&
                               all_are(data() + size_, memory_.data() + memory_.size(), kGuard));
}

CallBuffers::CallBuffers(const Operation& operation, int rank, int rank_count)
    : operation_(operation),
      rank_(rank),
      rank_count_(rank_count),
      width_(element_bytes(operation.type)),
      place_(place_offset(operation, rank, rank_count)) {
    Random random(operation.salt + static_cast<std::uint64_t>(rank));
    if (operation.coll == xcclCollSendRecv) {
        sends_.resize(operation.transfers.size());
        receives_.resize(operation.transfers.size());
        for (std::size_t i = 0; i < operation.transfers.size(); ++i) {
            const Transfer& transfer = operation.transfers[i];
            const std::vector<std::byte> bytes = bytes_of_transfer(operation, i);
            if (transfer.from == rank) {
                sends_[i] = Guarded(bytes.size(), random.below(16));
                std::copy(bytes.begin(), bytes.end(), sends_[i].data());
            }
            if (transfer.to == rank) receives_[i] = Guarded(bytes.size(), random.below(16));
        }
        return;
    }
    const std::size_t input_bytes = input_elements(operation, rank, rank_count) * width_;
    const std::size_t output_bytes = output_elements(operation, rank, rank_count) * width_;
    if (place_ < 0 || scatters(operation)) {
        input_ = Guarded(input_bytes, random.below(16));
        fill(operation, rank, rank_count, input_.data());
    }
    if (place_ < 0 || !scatters(operation)) {
        output_ = Guarded(output_bytes, random.below(16));
        if (place_ >= 0) {
            fill(operation, rank, rank_count,
                 output_.data() + static_cast<std::size_t>(place_) * width_);
        }
    }
}

std::byte* CallBuffers::output() const {
    if (place_ < 0 || !scatters(operation_)) return output_.data();
    return input_.data() + static_cast<std::size_t>(place_) * width_;
}

Buffers CallBuffers::buffers() {
    if (operation_.coll == xcclCollBarrier) return {&barrier_bytes_[0], &barrier_bytes_[1], {}};
    Buffers buffers;
    buffers.output = output();
    buffers.input_stays = place_ < 0;
    buffers.input = place_ >= 0 && !scatters(operation_)
                        ? output_.data() + static_cast<std::size_t>(place_) * width_
                        : input_.data();
    if (operation_.premultiplied) buffers.scale = {.floating = kFactor, .integer = kFactor};
    if (operation_.op == xcclAvg) buffers.scale.floating = 1.0 / rank_count_;
    return buffers;
}

std::vector<std::byte> CallBuffers::expected_output(const std::vector<std::byte>& combined) const {
    const std::uint64_t elements = output_elements(operation_, rank_, rank_count_);
    std::vector<std::byte> expected(elements * width_, kUntouched);
    for (const Run& run : output_runs(operation_, rank_, rank_count_)) {
        std::byte* destination = expected.data() + run.destination * width_;
        if (run.source >= 0) {
            write_input(operation_, run.source, rank_count_, run.source_offset, run.count,
                        destination);
        } else if (run.count > 0) {
            std::memcpy(destination, combined.data() + run.source_offset * width_,
                        run.count * width_);
        }
    }
    return expected;
}

std::optional<std::string> CallBuffers::check_result(const std::vector<std::byte>& combined) const {
    if (operation_.coll == xcclCollSendRecv) return check_transfers();
    if (auto wrong = first_difference(output(), expected_output(combined), "the output", width_)) {
        return wrong;
    }
    if (auto wrong = check_input()) return wrong;
    return check_bounds();
}

// Of an operation out of place, or what it may not write in place.
std::optional<std::string> CallBuffers::check_input() const {
    if (place_ >= 0 && !scatters(operation_)) return std::nullopt;
    std::vector<std::byte> before(input_.size());
    fill(operation_, rank_, rank_count_, before.data());
    if (place_ >= 0) {
        const std::size_t bytes = output_elements(operation_, rank_, rank_count_) * width_;
        std::copy_n(output(), bytes, before.data() + static_cast<std::size_t>(place_) * width_);
    }
    return first_difference(input_.data(), before, "the input", width_);
}

std::optional<std::string> CallBuffers::check_transfers() const {
    for (std::size_t i = 0; i < receives_.size(); ++i) {
        const std::vector<std::byte> bytes = bytes_of_transfer(operation_, i);
        const auto name = fmt::format("transfer {}", i);
        for (const Guarded* end : {&sends_[i], &receives_[i]}) {
            if (end->size() == 0) continue;
            if (auto wrong = first_difference(end->data(), bytes, name.c_str(), width_)) {
                return wrong;
            }
        }
    }
    return check_bounds();
}

std::optional<std::string> CallBuffers::check_bounds() const {
    bool intact = input_.guards_intact() && output_.guards_intact();
    for (const Guarded& memory : sends_) intact = intact && memory.guards_intact();
    for (const Guarded& memory : receives_) intact = intact && memory.guards_intact();
    if (intact) return std::nullopt;
    return "something was written outside the buffers";
}

std::uint64_t CallBuffers::hash() const {
    std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
    const auto add = [&](const Guarded& memory) {
        for (std::size_t i = 0; i < memory.size(); ++i) {
            hash = (hash ^ std::to_integer<std::uint64_t>(memory.data()[i])) * 0x100000001b3u;
        }
    };
    add(input_);
    add(output_);
    for (const Guarded& memory : receives_) add(memory);
    return hash;
}

}  // namespace xccl::simulator
