// From a call to a launch: asks the planner, and binds the plan to the call's shape.
//
// Applications repeat themselves, so launches are kept by what decides them; a repeated call costs
// one comparison with the last one, or one lookup. The v-variants, whose counts are theirs alone,
// are prepared anew.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/status.h"
#include "comm/call.h"
#include "comm/heap_places.h"
#include "comm/output_history.h"
#include "executor/engine.h"
#include "executor/launch.h"
#include "plan/planner.h"

namespace xccl {

class Launcher {
  public:
    // `cached_bytes`: what the last-level cache holds for this rank.
    Launcher(int rank, int rank_count, std::unique_ptr<Planner> planner, bool reproducible,
             std::uint64_t cached_bytes);

    // The launch of `call`, if that is of the same shape as the one before; else null.
    const std::shared_ptr<const PreparedLaunch>* repeated(const Call& call) const {
        return key_of(call) == last_key_ && !call.vectors ? &last_ : nullptr;
    }
    // The launch of `call`, ready for `engine`.
    Result<const std::shared_ptr<const PreparedLaunch>*> prepared(const Call& call, Engine& engine);
    Buffers buffers_of(const Call& call, const PreparedLaunch& launch);
    Result<std::string> explain(const Call& call);

  private:
    // What decides a launch, but for the v-variants.
    struct Key {
        std::uint64_t count = 0;
        std::uint64_t rest = ~std::uint64_t{0};  // [root 32][op 8][collective 8][datatype 8]
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };

    static Key key_of(const Call& call) {
        const std::uint64_t op = call.premul ? kPremulOp : static_cast<std::uint64_t>(call.op);
        return {call.count,
                static_cast<std::uint64_t>(static_cast<std::uint32_t>(call.root)) << 32 | op << 16 |
                    static_cast<std::uint64_t>(call.coll) << 8 |
                    static_cast<std::uint64_t>(call.type)};
    }
    Request request_of(const Call& call) const;
    Result<std::shared_ptr<const PreparedLaunch>> prepare(const Call& call, Engine& engine);
    ChunkLayout layout_of(BufferShape shape, const Call& call, bool input) const;
    void set_operator(const Call& call, Launch* launch) const;
    void find_places(const PreparedLaunch& launch, Buffers* buffers);

    const int rank_;
    const int rank_count_;
    const std::unique_ptr<Planner> planner_;
    const bool reproducible_;
    const std::uint64_t cached_bytes_;
    std::unordered_map<Key, std::shared_ptr<const PreparedLaunch>, KeyHash> launches_;
    Key last_key_;
    std::shared_ptr<const PreparedLaunch> last_;
    std::byte barrier_bytes_[2] = {};
    HeapPlaces input_places_;
    HeapPlaces output_places_;
    OutputHistory outputs_;
};

}  // namespace xccl
