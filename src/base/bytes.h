// Reading and writing what crosses the network: little-endian integers and counted strings.
//
// The reader never trusts a length: the first thing that is not there spoils everything after it,
// and complete() says so once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace xccl {

class ByteWriter {
  public:
    template <typename T>
    ByteWriter& put(T value) {
        static_assert(std::is_integral_v<T>);
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            bytes_.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
        }
        return *this;
    }
    ByteWriter& raw(std::string_view text) {
        bytes_.append(text);
        return *this;
    }
    ByteWriter& raw(const void* data, std::size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
        return *this;
    }
    template <typename Length = std::uint32_t>
    ByteWriter& counted(std::string_view text) {
        return put(static_cast<Length>(text.size())).raw(text);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    template <typename T>
    T get() {
        static_assert(std::is_integral_v<T>);
        const std::string_view bytes = raw(sizeof(T));
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
        }
        return static_cast<T>(value);
    }
    std::string_view raw(std::size_t size) {
        if (size > rest_.size()) good_ = false;
        if (!good_) return {};
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    void raw(void* data, std::size_t size) {
        const std::string_view bytes = raw(size);
        if (!bytes.empty()) bytes.copy(static_cast<char*>(data), size);
    }
    template <typename Length = std::uint32_t>
    std::string_view counted(std::size_t most) {
        return raw(length<Length>(most));
    }
    // A number of things that follow; none if it is more than `most`.
    template <typename Length = std::uint32_t>
    std::size_t length(std::size_t most) {
        const std::size_t size = get<Length>();
        if (size > most) good_ = false;
        return good_ ? size : 0;
    }
    std::string_view rest() { return raw(rest_.size()); }

    bool good() const { return good_; }
    bool complete() const { return good_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool good_ = true;
};

}  // namespace xccl
