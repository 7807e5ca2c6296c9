#include "device/taken.h"

#include <algorithm>
#include <cstring>

namespace xccl {

void copy_bytes_taken(std::byte* destination, const std::byte* source, std::size_t bytes) {
    if (bytes == 0 || destination == source) return;
    constexpr std::size_t kStripBytes = 2 * kTakenLineBytes;
    take_lines(source, std::min(bytes, kTakenAheadBytes));
    std::size_t i = 0;
    for (; i + kStripBytes <= bytes; i += kStripBytes) {
        if (i + kTakenAheadBytes < bytes) take_lines(source + i + kTakenAheadBytes, kStripBytes);
        std::memcpy(destination + i, source + i, kStripBytes);
    }
    std::memcpy(destination + i, source + i, bytes - i);
}

}  // namespace xccl
