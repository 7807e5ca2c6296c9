#include "kernels/kernel_table.h"

#include "kernels/instruction_sets.h"

namespace xccl::trainer {
namespace {

std::vector<const KernelTable*> find_usable() {
    std::vector<const KernelTable*> usable;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) usable.push_back(&kKernelsAvx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        usable.push_back(&kKernelsAvx2);
    }
#endif
    usable.push_back(&kKernelsGeneric);
    return usable;
}

}  // namespace

const std::vector<const KernelTable*>& usable_kernel_tables() {
    static const std::vector<const KernelTable*> usable = find_usable();
    return usable;
}

}  // namespace xccl::trainer
