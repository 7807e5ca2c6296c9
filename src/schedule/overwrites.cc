#include "schedule/overwrites.h"

#include <map>
#include <utility>

namespace xccl {
namespace {

class OverwriteFinder {
  public:
    explicit OverwriteFinder(const Lane& lane) : lane_(lane) {}

    std::vector<Overwrite> run() {
        for (std::uint32_t index = 0; index < lane_.steps.size(); ++index) {
            const Step& step = lane_.steps[index];
            for (const Operand& operand : lane_.destinations(step)) {
                if (operand.space == Space::kOutput) write(index, operand.chunk, step.span);
            }
            for (const Operand& operand : lane_.destinations(step)) {
                if (operand.space == Space::kSlot) send(step, operand.peer_index);
            }
        }
        return std::move(found_);
    }

  private:
    // What was sent of these chunks must have been read; then it is forgotten.
    void write(std::uint32_t step, std::uint32_t chunk, std::uint32_t span) {
        const auto first = sent_.lower_bound(chunk);
        auto last = first;
        for (; last != sent_.end() && last->first < chunk + span; ++last) {
            for (const auto& [peer_index, message] : last->second) {
                found_.push_back({step, message, peer_index});
            }
        }
        sent_.erase(first, last);
    }

    void send(const Step& step, std::uint16_t peer_index) {
        const std::uint32_t message = ++messages_[peer_index];
        const Operand& source = lane_.sources(step)[0];
        if (step.source_count != 1 || source.space != Space::kInput) return;
        for (std::uint32_t i = 0; i < step.span; ++i) {
            sent_[source.chunk + i][peer_index] = message;
        }
    }

    const Lane& lane_;
    std::map<std::uint16_t, std::uint32_t> messages_;  // to each peer so far
    // By chunk of the input: the last message to each peer that is a copy of it.
    std::map<std::uint32_t, std::map<std::uint16_t, std::uint32_t>> sent_;
    std::vector<Overwrite> found_;
};

}  // namespace

std::vector<Overwrite> overwrites_of(const Lane& lane) {
    return OverwriteFinder(lane).run();
}

}  // namespace xccl
