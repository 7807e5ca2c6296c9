// A launch as an engine runs it: checked against the lanes, with its links, the maps of its
// buffers, and its scratch memory. Immutable, so one serves any number of queued calls.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "executor/bound_lane.h"
#include "executor/launch.h"
#include "executor/piece_map.h"
#include "transport/link.h"

namespace xccl {

constexpr std::size_t kScratchAlignment = 64;  // a cache line

class PreparedLaunch {
  public:
    PreparedLaunch(Launch launch, std::uint64_t call_hash);
    PreparedLaunch(const PreparedLaunch&) = delete;
    PreparedLaunch& operator=(const PreparedLaunch&) = delete;
    PreparedLaunch(PreparedLaunch&&) = delete;
    PreparedLaunch& operator=(PreparedLaunch&&) = delete;
    ~PreparedLaunch() = default;

    // Completes the preparation. `links` by index of Steps::peers.
    Status bind(const LaneGeometry& geometry, std::vector<Link*> links);
    std::size_t scratch_bytes() const;
    void use_scratch(std::shared_ptr<std::byte> memory);

    const Launch& launch() const { return launch_; }
    const Steps& steps() const { return *launch_.steps; }
    const std::vector<BoundLane>& lanes() const { return lanes_; }
    int lane_count() const { return lane_count_; }
    const std::vector<Link*>& links() const { return links_; }
    std::uint64_t tile_count() const { return tile_count_; }
    std::uint64_t call_hash() const { return call_hash_; }

    bool wide() const { return wide_; }
    // Combines what is accumulated of two sources.
    PairKernel pair_kernel() const { return pair_kernel_; }
    std::uint32_t buffer_element_bytes() const { return buffer_element_bytes_; }
    std::uint32_t wire_element_bytes() const { return wire_element_bytes_; }
    std::size_t scratch_stride() const { return scratch_stride_; }
    std::size_t operand_limit() const { return operand_limit_; }  // of any step
    bool carried() const { return carried_; }                     // some link has a carrier
    bool may_refer() const { return may_refer_; }                 // some messages may be references
    bool by_address() const { return by_address_; }               // some of them by their address
    // The ranks may divide what all of them would combine (BoundStep::divides).
    bool divides() const { return divides_; }
    bool streams() const { return streams_; }  // the output is written past the caches
    // It is if it has left them, too (Buffers::output_left).
    bool may_stream() const { return may_stream_; }
    // Asks for the first message of each peer and lane, so that what has been sent already comes
    // while the operation is started. A cached all-reduce of 8 bytes takes 56 ns beyond waiting,
    // and 120 without (cached_call_benchmark; 2 cores of an Intel Xeon at 2.1 GHz, 2026-11-29).
    void expect_messages() const {
        for (const FirstMessage& first : first_messages_) first.receiver->expect(first.byte_count);
    }
    // How far into a buffer steps reach.
    std::uint64_t input_bytes() const { return input_bytes_; }
    std::uint64_t output_bytes() const { return output_bytes_; }

    const PieceMap& input() const { return input_; }
    const PieceMap& output() const { return output_; }
    const PieceMap& work() const { return work_; }

  private:
    struct FirstMessage {
        const Receiver* receiver;
        std::uint32_t byte_count;  // of the payload that is asked for, too
    };

    void find_first_messages();
    bool is_plain(const BoundStep& step) const;
    Status check(const LaneGeometry& geometry) const;
    Status check_lane(const Lane& lane) const;
    Status check_step(const Lane& lane, const Step& step) const;

    const Launch launch_;
    const std::uint64_t call_hash_;
    PieceMap input_;
    PieceMap output_;
    PieceMap work_;
    std::uint64_t tile_count_ = 0;
    bool wide_ = false;
    PairKernel pair_kernel_ = nullptr;
    std::uint32_t buffer_element_bytes_ = 0;
    std::uint32_t wire_element_bytes_ = 0;
    std::size_t scratch_stride_ = 0;
    std::size_t operand_limit_ = 0;
    bool carried_ = false;
    bool may_refer_ = false;
    bool by_address_ = false;
    bool divides_ = false;
    bool streams_ = false;
    bool may_stream_ = false;
    std::uint64_t input_bytes_ = 0;
    std::uint64_t output_bytes_ = 0;
    std::vector<Link*> links_;
    std::vector<BoundLane> lanes_;
    std::vector<FirstMessage> first_messages_;
    int lane_count_ = 0;
    std::shared_ptr<std::byte> scratch_;
};

}  // namespace xccl
