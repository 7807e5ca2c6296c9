#include "collectives/collective.h"

#include <algorithm>
#include <array>

namespace xccl::perf {
namespace {

std::size_t times(int blocks, std::size_t count) {
    return static_cast<std::size_t>(blocks) * count;
}

std::size_t extent(Extent extent, const Shape& shape, std::size_t traffic_count) {
    if (extent == Extent::kTraffic) return traffic_count;
    return extent == Extent::kBlock ? shape.count : times(shape.rank_count, shape.count);
}

// ---- Bandwidth factors: what a perfect network would have to carry, over what is reported -------

double whole(int) {
    return 1;
}
double all_but_own(int n) {
    return static_cast<double>(n - 1) / n;
}
double twice_all_but_own(int n) {
    return 2 * all_but_own(n);
}

// ---- What must come out ------------------------------------------------------------------------

using Segments = std::vector<Segment>;

Segments reduction_of_all(const Shape& shape, int) {
    return {{.at = 0, .count = shape.count, .source_rank = Segment::kReduced, .source_at = 0}};
}
Segments reduction_at_root(const Shape& shape, int rank) {
    return rank == shape.root ? reduction_of_all(shape, rank) : Segments();
}
Segments own_block_of_reduction(const Shape& shape, int rank) {
    return {{.at = 0,
             .count = shape.count,
             .source_rank = Segment::kReduced,
             .source_at = times(rank, shape.count)}};
}
Segments input_of_root(const Shape& shape, int) {
    return {{.at = 0, .count = shape.count, .source_rank = shape.root, .source_at = 0}};
}
Segments own_block_of_root(const Shape& shape, int rank) {
    return {{.at = 0,
             .count = shape.count,
             .source_rank = shape.root,
             .source_at = times(rank, shape.count)}};
}
Segments input_of_left(const Shape& shape, int rank) {
    const int left = (rank + shape.rank_count - 1) % shape.rank_count;
    return {{.at = 0, .count = shape.count, .source_rank = left, .source_at = 0}};
}
// A block of each rank; `source_at` says where it starts there.
Segments block_of_each(const Shape& shape, std::size_t source_at) {
    Segments segments;
    for (int source = 0; source < shape.rank_count; ++source) {
        segments.push_back({.at = times(source, shape.count),
                            .count = shape.count,
                            .source_rank = source,
                            .source_at = source_at});
    }
    return segments;
}
Segments inputs_of_all(const Shape& shape, int) {
    return block_of_each(shape, 0);
}
Segments inputs_at_root(const Shape& shape, int rank) {
    return rank == shape.root ? inputs_of_all(shape, rank) : Segments();
}
Segments own_block_of_each(const Shape& shape, int rank) {
    return block_of_each(shape, times(rank, shape.count));
}
Segments own_traffic_of_each(const Shape& shape, int rank) {
    const Traffic& traffic = *shape.traffic;
    Segments segments;
    for (int source = 0; source < shape.rank_count; ++source) {
        segments.push_back({.at = traffic.receive_offset(source, rank),
                            .count = traffic.count(source, rank),
                            .source_rank = source,
                            .source_at = traffic.send_offset(source, rank)});
    }
    return segments;
}

// ---- The calls ---------------------------------------------------------------------------------

xcclResult_t all_reduce(const Shape& s, const Call& c) {
    return xcclAllReduce(c.send, c.receive, s.count, c.type, c.op, c.comm, c.stream);
}
xcclResult_t all_gather(const Shape& s, const Call& c) {
    return xcclAllGather(c.send, c.receive, s.count, c.type, c.comm, c.stream);
}
xcclResult_t reduce_scatter(const Shape& s, const Call& c) {
    return xcclReduceScatter(c.send, c.receive, s.count, c.type, c.op, c.comm, c.stream);
}
xcclResult_t broadcast(const Shape& s, const Call& c) {
    return xcclBroadcast(c.send, c.receive, s.count, c.type, s.root, c.comm, c.stream);
}
xcclResult_t reduce(const Shape& s, const Call& c) {
    return xcclReduce(c.send, c.receive, s.count, c.type, c.op, s.root, c.comm, c.stream);
}
xcclResult_t all_to_all(const Shape& s, const Call& c) {
    return xcclAlltoAll(c.send, c.receive, s.count, c.type, c.comm, c.stream);
}
xcclResult_t all_to_all_v(const Shape& s, const Call& c) {
    std::vector<std::size_t> sends;
    std::vector<std::size_t> receives;
    for (int peer = 0; peer < s.rank_count; ++peer) {
        sends.push_back(s.traffic->count(c.rank, peer));
        receives.push_back(s.traffic->count(peer, c.rank));
    }
    return xcclAlltoAllv(c.send, sends.data(), nullptr, c.receive, receives.data(), nullptr, c.type,
                         c.comm, c.stream);
}
xcclResult_t gather(const Shape& s, const Call& c) {
    return xcclGather(c.send, c.receive, s.count, c.type, s.root, c.comm, c.stream);
}
xcclResult_t scatter(const Shape& s, const Call& c) {
    return xcclScatter(c.send, c.receive, s.count, c.type, s.root, c.comm, c.stream);
}
// Every rank sends to its right and receives from its left.
xcclResult_t send_recv(const Shape& s, const Call& c) {
    const int right = (c.rank + 1) % s.rank_count;
    const int left = (c.rank + s.rank_count - 1) % s.rank_count;
    if (const xcclResult_t opened = xcclGroupStart(); opened != xcclSuccess) return opened;
    const xcclResult_t sent = xcclSend(c.send, s.count, c.type, right, c.comm, c.stream);
    const xcclResult_t received = xcclRecv(c.receive, s.count, c.type, left, c.comm, c.stream);
    const xcclResult_t closed = xcclGroupEnd();
    if (sent != xcclSuccess) return sent;
    return received != xcclSuccess ? received : closed;
}

constexpr auto kSame = InPlace::kSameBuffer;
constexpr auto kNowhere = InPlace::kNone;
constexpr auto kBlock = Extent::kBlock;
constexpr auto kBlocks = Extent::kBlocks;
constexpr auto kTraffic = Extent::kTraffic;

// clang-format off
constexpr std::array<Collective, 10> kCollectives = {{
 // name             reduces shows  root   in place                     sends     receives  factor             expected                launch
 {"all_reduce",      true,   true,  false, kSame,                       kBlock,   kBlock,   twice_all_but_own, reduction_of_all,       all_reduce},
 {"all_gather",      false,  false, false, InPlace::kSendFromOwnBlock,  kBlock,   kBlocks,  all_but_own,       inputs_of_all,          all_gather},
 {"reduce_scatter",  true,   true,  false, InPlace::kReceiveToOwnBlock, kBlocks,  kBlock,   all_but_own,       own_block_of_reduction, reduce_scatter},
 {"broadcast",       false,  false, true,  kSame,                       kBlock,   kBlock,   whole,             input_of_root,          broadcast},
 {"reduce",          true,   true,  true,  kSame,                       kBlock,   kBlock,   whole,             reduction_at_root,      reduce},
 {"alltoall",        false,  false, false, kNowhere,                    kBlocks,  kBlocks,  all_but_own,       own_block_of_each,      all_to_all},
 {"alltoallv",       false,  false, false, kNowhere,                    kTraffic, kTraffic, all_but_own,       own_traffic_of_each,    all_to_all_v},
 {"gather",          false,  false, true,  InPlace::kSendFromOwnBlock,  kBlock,   kBlocks,  all_but_own,       inputs_at_root,         gather},
 {"scatter",         false,  false, true,  InPlace::kReceiveToOwnBlock, kBlocks,  kBlock,   all_but_own,       own_block_of_root,      scatter},
 {"sendrecv",        false,  true,  false, kNowhere,                    kBlock,   kBlock,   whole,             input_of_left,          send_recv},
}};
// clang-format on

}  // namespace

std::size_t Collective::send_count(const Shape& shape, int rank) const {
    const bool is_traffic = sends == Extent::kTraffic;
    return extent(sends, shape, is_traffic ? shape.traffic->sent_by(rank) : 0);
}

std::size_t Collective::receive_count(const Shape& shape, int rank) const {
    const bool is_traffic = receives == Extent::kTraffic;
    return extent(receives, shape, is_traffic ? shape.traffic->received_by(rank) : 0);
}

std::size_t Collective::size_count(const Shape& shape) const {
    if (sends == Extent::kTraffic) return shape.traffic->busiest();
    return std::max(send_count(shape, 0), receive_count(shape, 0));
}

std::size_t count_for(const Collective& collective, std::size_t bytes, std::size_t type_bytes,
                      int rank_count) {
    if (!collective.counts_per_rank()) return bytes / type_bytes;
    const std::size_t share = bytes / static_cast<std::size_t>(rank_count);
    return share / kAlignmentBytes * kAlignmentBytes / type_bytes;
}

std::span<const Collective> collectives() {
    return kCollectives;
}

const Collective* find_collective(std::string_view name) {
    const auto found = std::find_if(kCollectives.begin(), kCollectives.end(),
                                    [&](const Collective& c) { return c.name == name; });
    return found == kCollectives.end() ? nullptr : found;
}

}  // namespace xccl::perf
