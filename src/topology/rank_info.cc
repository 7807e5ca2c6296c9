// The encoding: integers are little-endian, whatever the machine.
//
//     u8 version | u32 quota | u16 n, host key | u16 n, process key | u16 n, machine key |
//     u16 n, n x u64 mask
#include "topology/rank_info.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/bytes.h"

namespace xccl {
namespace {

constexpr std::uint8_t kRankInfoVersion = 2;

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
    XCCL_ASSERT(
        info.host_key.size() <= kMaxPlaceKeyBytes && info.process_key.size() <= kMaxPlaceKeyBytes &&
        info.machine_key.size() <= kMaxPlaceKeyBytes && info.cpu_mask.size() <= kMaxCpuMaskWords);
    ByteWriter writer;
    writer.put(kRankInfoVersion)
        .put(info.cpu_quota)
        .counted<std::uint16_t>(info.host_key)
        .counted<std::uint16_t>(info.process_key)
        .counted<std::uint16_t>(info.machine_key)
        .put(static_cast<std::uint16_t>(info.cpu_mask.size()));
    for (std::uint64_t word : info.cpu_mask) writer.put(word);
    return writer.take();
}

Result<RankInfo> decode_rank_info(std::string_view bytes) {
    ByteReader reader(bytes);
    const auto version = reader.get<std::uint8_t>();
    if (!bytes.empty() && version != kRankInfoVersion) {
        return remote_error("a rank describes its place in version {}, this library reads {}",
                            version, kRankInfoVersion);
    }
    RankInfo info;
    info.cpu_quota = reader.get<std::uint32_t>();
    info.host_key = reader.counted<std::uint16_t>(kMaxPlaceKeyBytes);
    info.process_key = reader.counted<std::uint16_t>(kMaxPlaceKeyBytes);
    info.machine_key = reader.counted<std::uint16_t>(kMaxPlaceKeyBytes);
    const auto words = reader.length<std::uint16_t>(kMaxCpuMaskWords);
    for (std::size_t i = 0; reader.good() && i < words; ++i) {
        info.cpu_mask.push_back(reader.get<std::uint64_t>());
    }
    if (!reader.complete()) {
        return remote_error("a rank's description of its place is malformed ({} bytes)",
                            bytes.size());
    }
    return info;
}

}  // namespace xccl
