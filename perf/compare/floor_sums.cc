#include "floor_sums.h"

namespace xccl::compare {

namespace compare_avx512 {
extern const FloorKernels kAll;
}
namespace compare_avx2 {
extern const FloorKernels kAll;
}
namespace compare_sse2 {
extern const FloorKernels kAll;
}

const FloorKernels& floor_kernels() {
    static const FloorKernels& widest = __builtin_cpu_supports("avx512f") ? compare_avx512::kAll
                                        : __builtin_cpu_supports("avx2")  ? compare_avx2::kAll
                                                                          : compare_sse2::kAll;
    return widest;
}

}  // namespace xccl::compare
