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
#include "executor/engine.h"
#include "executor/launch.h"
#include "plan/planner.h"

namespace xccl {

class Launcher {
  public:
    Launcher(int rank, int rank_count, std::unique_ptr<Planner> planner, bool reproducible);

    // The launch of `call`, ready for `engine`.
    Result<const std::shared_ptr<const PreparedLaunch>*> prepared(const Call& call, Engine& engine);
    Buffers buffers_of(const Call& call);
    Result<std::string> explain(const Call& call);

  private:
    // What decides a launch, but for the v-variants.
    struct Key {
        std::uint64_t count = 0;
        int coll = -1;
        int type = 0;
        int op = 0;
        int root = 0;
        bool premul = false;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };

    static Key key_of(const Call& call);
    Request request_of(const Call& call) const;
    Result<std::shared_ptr<const PreparedLaunch>> prepare(const Call& call, Engine& engine);
    ChunkLayout layout_of(BufferShape shape, const Call& call, bool input) const;
    void set_operator(const Call& call, Launch* launch) const;

    const int rank_;
    const int rank_count_;
    const std::unique_ptr<Planner> planner_;
    const bool reproducible_;
    std::unordered_map<Key, std::shared_ptr<const PreparedLaunch>, KeyHash> launches_;
    Key last_key_;
    std::shared_ptr<const PreparedLaunch> last_;
    std::byte barrier_bytes_[2] = {};
};

}  // namespace xccl
