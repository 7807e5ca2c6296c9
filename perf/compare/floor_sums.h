// Sums and copies of float32 for the floor, with the widest vectors that the processor has.
#pragma once

#include <cstddef>

namespace xccl::compare {

enum class Stores { kOrdinary, kPastCaches };  // the latter need addresses that 64 divides

constexpr int kMostRanks = 16;

struct FloorKernels {
    // to[0..destinations)[i] = from[0][i] + from[1][i] + ..., in this order, each element read and
    // written once. Destinations may be sources.
    void (*sum)(float* const* to, int destinations, const float* const* from, int sources,
                std::size_t count);
    void (*sum_past_caches)(float* const* to, int destinations, const float* const* from,
                            int sources, std::size_t count);
    // Sources are taken from the core that wrote them, so that it costs no second transfer between
    // cores to write them: those but `kept`, which may be none of them.
    void (*sum_taking)(float* const* to, int destinations, const float* const* from, int sources,
                       int kept, std::size_t count);
    // The same, and the destination `kept` is stored past the caches.
    void (*sum_taking_past_caches)(float* const* to, int destinations, const float* const* from,
                                   int sources, int kept, std::size_t count);
    void (*copy_taking)(float* to, const float* from, std::size_t count);
    void (*copy_taking_past_caches)(float* to, const float* from, std::size_t count);
    void (*copy)(float* to, const float* from, std::size_t count);
    void (*copy_past_caches)(float* to, const float* from, std::size_t count);
};

const FloorKernels& floor_kernels();

inline void floor_sum(float* const* to, int destinations, const float* const* from, int sources,
                      std::size_t count, Stores stores) {
    static const FloorKernels kernels = floor_kernels();
    (stores == Stores::kOrdinary ? kernels.sum : kernels.sum_past_caches)(to, destinations, from,
                                                                          sources, count);
}

inline void floor_copy(float* to, const float* from, std::size_t count, Stores stores) {
    static const FloorKernels kernels = floor_kernels();
    (stores == Stores::kOrdinary ? kernels.copy : kernels.copy_past_caches)(to, from, count);
}

}  // namespace xccl::compare
