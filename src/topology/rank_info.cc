// The encoding: integers are little-endian, whatever the machine.
//
//     u8 version | u32 quota | u16 n, host key | u16 n, process key | u16 n, n x u64 mask
#include "topology/rank_info.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace xccl {
namespace {

constexpr std::uint8_t kVersion = 1;

template <typename T>
void put(std::string* bytes, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        bytes->push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
    }
}

void put_text(std::string* bytes, const std::string& text) {
    put(bytes, static_cast<std::uint16_t>(text.size()));
    bytes->append(text);
}

// Reads from the front of what is left; the first thing that is not there spoils the rest.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <typename T>
    T take() {
        const std::string_view raw = take_bytes(sizeof(T));
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            value |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
        }
        return static_cast<T>(value);
    }

    std::string take_text() {
        const std::size_t length = take<std::uint16_t>();
        if (length > kMaxPlaceKeyBytes) complete_ = false;
        return std::string(take_bytes(length));
    }

    CpuMask take_mask() {
        const std::size_t words = take<std::uint16_t>();
        if (words > kMaxCpuMaskWords || words * 8 > rest_.size()) complete_ = false;
        CpuMask mask;
        for (std::size_t i = 0; complete_ && i < words; ++i) mask.push_back(take<std::uint64_t>());
        return mask;
    }

    bool finished() const { return complete_ && rest_.empty(); }

  private:
    std::string_view take_bytes(std::size_t count) {
        if (count > rest_.size()) complete_ = false;
        if (!complete_) return {};
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::string_view rest_;
    bool complete_ = true;
};

}  // namespace

CpuMask cpu_mask_of(const std::vector<int>& cpus) {
    CpuMask mask;
    for (int cpu : cpus) {
        XCCL_ASSERT(cpu >= 0 && static_cast<std::size_t>(cpu) < kMaxCpuMaskWords * 64);
        const std::size_t word = static_cast<std::size_t>(cpu) / 64;
        if (mask.size() <= word) mask.resize(word + 1);
        mask[word] |= std::uint64_t{1} << (cpu % 64);
    }
    return mask;
}

int cpu_count_of(const CpuMask& mask) {
    int count = 0;
    for (std::uint64_t word : mask) count += std::popcount(word);
    return count;
}

bool is_subset(const CpuMask& inner, const CpuMask& outer) {
    for (std::size_t i = 0; i < inner.size(); ++i) {
        const std::uint64_t allowed = i < outer.size() ? outer[i] : 0;
        if ((inner[i] & ~allowed) != 0) return false;
    }
    return true;
}

CpuMask united(const CpuMask& a, const CpuMask& b) {
    CpuMask sum = a.size() >= b.size() ? a : b;
    const CpuMask& other = a.size() >= b.size() ? b : a;
    for (std::size_t i = 0; i < other.size(); ++i) sum[i] |= other[i];
    return sum;
}

std::string encode_rank_info(const RankInfo& info) {
    XCCL_ASSERT(info.host_key.size() <= kMaxPlaceKeyBytes &&
                info.process_key.size() <= kMaxPlaceKeyBytes &&
                info.cpu_mask.size() <= kMaxCpuMaskWords);
    std::string bytes;
    put(&bytes, kVersion);
    put(&bytes, info.cpu_quota);
    put_text(&bytes, info.host_key);
    put_text(&bytes, info.process_key);
    put(&bytes, static_cast<std::uint16_t>(info.cpu_mask.size()));
    for (std::uint64_t word : info.cpu_mask) put(&bytes, word);
    return bytes;
}

Result<RankInfo> decode_rank_info(std::string_view bytes) {
    Reader reader(bytes);
    const auto version = reader.take<std::uint8_t>();
    if (!bytes.empty() && version != kVersion) {
        return remote_error("a rank describes its place in version {}, this library reads {}",
                            version, kVersion);
    }
    RankInfo info;
    info.cpu_quota = reader.take<std::uint32_t>();
    info.host_key = reader.take_text();
    info.process_key = reader.take_text();
    info.cpu_mask = reader.take_mask();
    if (!reader.finished()) {
        return remote_error("a rank's description of its place is malformed ({} bytes)",
                            bytes.size());
    }
    return info;
}

}  // namespace xccl
