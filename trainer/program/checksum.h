// A fingerprint of bytes: FNV-1a over 64-bit words, for telling apart by accident, not by malice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace xccl::trainer {

class Checksum {
  public:
    template <typename T>
    void add(std::span<const T> values) {
        static_assert(std::is_trivially_copyable_v<T>);
        const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
        add_word(values.size_bytes());
        for (std::size_t at = 0; at < values.size_bytes(); at += sizeof(std::uint64_t)) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes + at, std::min(sizeof(word), values.size_bytes() - at));
            add_word(word);
        }
    }
    std::uint64_t value() const { return value_ ^ (value_ >> 32); }

  private:
    void add_word(std::uint64_t word) {
        value_ = (value_ ^ word) * 0x100000001b3u;
        value_ ^= value_ >> 29;  // the high bits of a word reach the low bits of the sum
    }

    std::uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace xccl::trainer
