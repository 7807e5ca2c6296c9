// Which outputs of large calls are in the caches still, as far as this rank's calls can tell.
//
// An output that fits the caches is written into them, where its reader finds it. But of buffers
// that take turns, such as those of a model's layers, the one whose turn it is left the caches when
// the others came: its lines would be read from memory only to be overwritten. Between two uses of
// an output lie the bytes that large calls have touched since (PreparedLaunch::may_stream()). If
// they are more than the caches hold, it has left.
//
// All-reduces of 1 to 8 MiB that go round through 512 MiB take 0.76 to 0.79 of the time past the
// caches (ordinary memory; registered 0.62 to 0.70), of which a caller who then reads the output
// gives back a half. (2 ranks over shared memory, 2 cores of an Intel Xeon, 2026-11-29.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace xccl {

class OutputHistory {
  public:
    static constexpr std::size_t kDepth = 64;

    explicit OutputHistory(std::uint64_t cached_bytes) : cached_bytes_(cached_bytes) {}

    // A call touches `bytes`, the output among them. Has that left the caches since its last call?
    // One that was never seen has, if calls have touched more than they hold since those that this
    // remembers.
    bool has_left(const std::byte* output, std::uint64_t bytes) {
        total_ += bytes;
        Use* use = &uses_[0];
        for (Use& other : uses_) {
            if (other.output == output) {
                use = &other;
                break;
            }
            if (other.total < use->total) use = &other;  // the oldest one
        }
        const bool left = total_ - use->total > cached_bytes_;
        *use = {output, total_};
        return left;
    }

  private:
    struct Use {
        const std::byte* output = nullptr;
        std::uint64_t total = 0;  // of bytes, when it was last used
    };
    const std::uint64_t cached_bytes_;
    std::uint64_t total_ = 0;
    std::array<Use, kDepth> uses_{};
};

}  // namespace xccl
