#include "schedule/step_bytes.h"

#include "base/bytes.h"
#include "base/limits.h"

namespace xccl {
namespace {

constexpr std::string_view kMagic = "xccl";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint32_t kMaxChunks = kMaxRanks;
// The most that encode() makes: named cells, and those of work chunks.
constexpr std::uint32_t kMaxScratchChunks = 4u * kMaxRanks + 2u * kMaxChunks;

void put_step(ByteWriter& writer, const Lane& lane, const Step& step) {
    writer.put(step.source_count).put(step.destination_count).put(step.span).put(step.round);
    const std::size_t count = step.source_count + std::size_t{step.destination_count};
    for (std::size_t i = 0; i < count; ++i) {
        const Operand& operand = lane.operands[step.first_operand + i];
        writer.put(static_cast<std::uint8_t>(operand.space))
            .put(operand.peer_index)
            .put(operand.chunk);
    }
}

class Decoder {
  public:
    explicit Decoder(std::string_view bytes) : reader_(bytes) {}

    Result<Steps> run() {
        XCCL_TRY(read_header());
        XCCL_TRY(read_peers());
        for (std::uint16_t lane = 0; lane < lane_count_; ++lane) XCCL_TRY(read_lane());
        if (!reader_.complete()) return wrong("more or fewer bytes than it says");
        return std::move(steps_);
    }

  private:
    template <typename... Args>
    static Status wrong(fmt::format_string<Args...> text, Args&&... args) {
        return invalid_argument("these bytes are no encoded steps: {}",
                                fmt::format(text, std::forward<Args>(args)...));
    }
    Status read_header();
    Status check_header() const;
    Status read_peers();
    Status read_lane();
    Status read_step(Lane& lane);
    Status read_operand(Lane& lane, bool written);

    ByteReader reader_;
    Steps steps_;
    std::uint16_t peer_count_ = 0;
    std::uint16_t lane_count_ = 0;
};

Status Decoder::read_header() {
    if (reader_.raw(kMagic.size()) != kMagic) return wrong("they do not begin with \"{}\"", kMagic);
    const auto version = reader_.get<std::uint8_t>();
    if (version != kVersion) return wrong("version {}, not {}", version, kVersion);
    const auto rank = reader_.get<std::uint32_t>();
    const auto rank_count = reader_.get<std::uint32_t>();
    if (rank_count < 1 || rank_count > static_cast<std::uint32_t>(kMaxRanks) ||
        rank >= rank_count) {
        return wrong("rank {} of {}", rank, rank_count);
    }
    steps_.rank = static_cast<int>(rank);
    steps_.rank_count = static_cast<int>(rank_count);
    steps_.chunk_count = reader_.get<std::uint32_t>();
    steps_.scratch_chunk_count = reader_.get<std::uint32_t>();
    steps_.max_span = reader_.get<std::uint32_t>();
    steps_.strand_count = reader_.get<std::uint32_t>();
    peer_count_ = reader_.get<std::uint16_t>();
    lane_count_ = reader_.get<std::uint16_t>();
    if (!reader_.good()) return wrong("they end within the header");
    return check_header();
}

Status Decoder::check_header() const {
    if (steps_.chunk_count < 1 || steps_.chunk_count > kMaxChunks ||
        steps_.scratch_chunk_count > kMaxScratchChunks || steps_.max_span < 1 ||
        steps_.max_span > steps_.chunk_count) {
        return wrong("{} chunks, {} in scratch, spans up to {}", steps_.chunk_count,
                     steps_.scratch_chunk_count, steps_.max_span);
    }
    if (lane_count_ < 1 || lane_count_ > kMaxLanes || steps_.strand_count < 1 ||
        lane_count_ % steps_.strand_count != 0) {
        return wrong("{} lanes of {} strands", lane_count_, steps_.strand_count);
    }
    if (peer_count_ >= steps_.rank_count) {
        return wrong("{} peers among {} ranks", peer_count_, steps_.rank_count);
    }
    return ok_status();
}

Status Decoder::read_peers() {
    std::vector<bool> known(steps_.rank_count);
    for (std::uint16_t i = 0; i < peer_count_; ++i) {
        const auto peer = reader_.get<std::uint16_t>();
        if (!reader_.good()) return wrong("they end within the peers");
        if (peer >= steps_.rank_count || peer == steps_.rank || known[peer]) {
            return wrong("peer {} is no other rank, or named twice", peer);
        }
        known[peer] = true;
        steps_.peers.push_back(peer);
    }
    return ok_status();
}

Status Decoder::read_lane() {
    Lane& lane = steps_.lanes.emplace_back();
    const auto count = reader_.get<std::uint32_t>();
    for (std::uint32_t i = 0; i < count; ++i) XCCL_TRY(read_step(lane));
    return ok_status();
}

Status Decoder::read_step(Lane& lane) {
    Step step;
    step.first_operand = static_cast<std::uint32_t>(lane.operands.size());
    step.source_count = reader_.get<std::uint16_t>();
    step.destination_count = reader_.get<std::uint16_t>();
    step.span = reader_.get<std::uint32_t>();
    step.round = reader_.get<std::uint32_t>();
    if (!reader_.good()) return wrong("they end within a step");
    if (step.source_count < 1 || step.source_count > kMaxReduceSources ||
        step.destination_count < 1 || step.span < 1 || step.span > steps_.max_span) {
        return wrong("a step of {} sources, {} destinations, span {}", step.source_count,
                     step.destination_count, step.span);
    }
    for (std::uint32_t i = 0; i < step.source_count; ++i) XCCL_TRY(read_operand(lane, false));
    for (std::uint32_t i = 0; i < step.destination_count; ++i) XCCL_TRY(read_operand(lane, true));
    lane.steps.push_back(step);
    return ok_status();
}

Status Decoder::read_operand(Lane& lane, bool written) {
    const auto space = reader_.get<std::uint8_t>();
    Operand operand;
    operand.peer_index = reader_.get<std::uint16_t>();
    operand.chunk = reader_.get<std::uint32_t>();
    if (!reader_.good()) return wrong("they end within an operand");
    if (space > static_cast<std::uint8_t>(Space::kSlot)) return wrong("no space {}", space);
    operand.space = static_cast<Space>(space);
    if (written && operand.space == Space::kInput) return wrong("a write to the input");
    const bool is_slot = operand.space == Space::kSlot;
    if (is_slot ? operand.peer_index >= peer_count_ : operand.peer_index != 0) {
        return wrong("no peer {} of {}", operand.peer_index, peer_count_);
    }
    const bool is_scratch = operand.space == Space::kScratch;
    if (operand.chunk >= (is_scratch ? steps_.scratch_chunk_count : steps_.chunk_count)) {
        return wrong("no chunk {}", operand.chunk);
    }
    lane.operands.push_back(operand);
    return ok_status();
}

}  // namespace

std::string bytes_of_steps(const Steps& steps) {
    ByteWriter writer;
    writer.raw(kMagic).put(kVersion);
    writer.put(static_cast<std::uint32_t>(steps.rank));
    writer.put(static_cast<std::uint32_t>(steps.rank_count));
    writer.put(steps.chunk_count).put(steps.scratch_chunk_count);
    writer.put(steps.max_span).put(steps.strand_count);
    writer.put(static_cast<std::uint16_t>(steps.peers.size()));
    writer.put(static_cast<std::uint16_t>(steps.lanes.size()));
    for (std::uint16_t peer : steps.peers) writer.put(peer);
    for (const Lane& lane : steps.lanes) {
        writer.put(static_cast<std::uint32_t>(lane.steps.size()));
        for (const Step& step : lane.steps) put_step(writer, lane, step);
    }
    return writer.take();
}

Result<Steps> steps_of_bytes(std::string_view bytes) {
    return Decoder(bytes).run();
}

}  // namespace xccl
