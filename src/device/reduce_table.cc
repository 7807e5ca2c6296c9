#include "device/reduce_table.h"

#include <array>
#include <atomic>

#include "base/assert.h"
#include "base/datatypes.h"

namespace xccl {
namespace {

struct UsableTables {
    std::array<const ReduceTable*, 4> tables{};
    std::size_t count = 0;
    void add(const ReduceTable* table) { tables[count++] = table; }
};

UsableTables find_usable_tables() {
    UsableTables usable;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
#if defined(XCCL_HAS_FP16_KERNELS)
        // What has the first has the others.
        if (__builtin_cpu_supports("avx512fp16") && __builtin_cpu_supports("avx512vbmi2") &&
            __builtin_cpu_supports("gfni")) {
            static const ReduceTable table = with_fp16_kernels(kAvx512ReduceTable);
            usable.add(&table);
        }
#endif
        usable.add(&kAvx512ReduceTable);
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")) {
        usable.add(&kAvx2ReduceTable);
    }
#endif
    usable.add(&kGenericReduceTable);
    return usable;
}

// Null until the first reduction. Relaxed everywhere: the tables are constants, and threads that
// come first together choose alike.
std::atomic<const ReduceTable*> table_in_use{nullptr};

[[gnu::noinline]] const ReduceTable* choose_table() {
    const ReduceTable* table = usable_reduce_tables().front();
    table_in_use.store(table, std::memory_order_relaxed);
    return table;
}

inline const ReduceTable* current_table() {
    const ReduceTable* table = table_in_use.load(std::memory_order_relaxed);
    return table != nullptr ? table : choose_table();
}

}  // namespace

std::span<const ReduceTable* const> usable_reduce_tables() {
    static const UsableTables usable = find_usable_tables();
    return {usable.tables.data(), usable.count};
}

bool use_instruction_set(std::string_view name) {
    for (const ReduceTable* table : usable_reduce_tables()) {
        if (name != table->name) continue;
        table_in_use.store(table, std::memory_order_relaxed);
        return true;
    }
    return false;
}

const char* instruction_set() {
    return current_table()->name;
}

void reduce(const Reduction& reduction) {
    XCCL_DEBUG_ASSERT(!reduction.sources.empty() && !reduction.destinations.empty());
    if (reduction.count == 0) return;  // the pointers may be null
    current_table()->kernels[reduction.type][static_cast<int>(reduction.kind)].reduce(reduction);
}

StreamKernel stream_kernel(xcclDataType_t type, ReduceKind kind, std::size_t source_count) {
    if (source_count > kMostFoldSources) return nullptr;
    return current_table()->kernels[type][static_cast<int>(kind)].stream[source_count];
}

PairKernel pair_kernel(xcclDataType_t type, ReduceKind kind) {
    XCCL_DEBUG_ASSERT(accumulate_type(type) == type);
    return current_table()->kernels[type][static_cast<int>(kind)].reduce_two;
}

}  // namespace xccl
