#include "limits/streams.h"

namespace xccl::limits {

namespace limits_avx512 {
extern const Streams kAll;
}
namespace limits_avx2 {
extern const Streams kAll;
}
namespace limits_sse2 {
extern const Streams kAll;
}

const Streams& widest_streams() {
    static const Streams& widest = __builtin_cpu_supports("avx512f") ? limits_avx512::kAll
                                   : __builtin_cpu_supports("avx2")  ? limits_avx2::kAll
                                                                     : limits_sse2::kAll;
    return widest;
}

}  // namespace xccl::limits
