// What ranks and the rendezvous say to each other once they have proved themselves. The payloads of
// the handshake's hello and of frames (frames.h).
//
//     rank -> root   hello: Introduction            may I come in?
//     root -> rank   kWelcome: Server               or kFailed; again when it changes
//     rank -> root   kGather: patience, part        as often as ranks exchange something
//     root -> rank   kGathered: table
//     root -> rank   kFailed: Status                final, at any time
//     rank -> root   kLeave: Status                 success, or why
//
// A *table* is the counted byte strings of consecutive ranks, in rank order. Where several roots
// share the load, the others come to the first one as parties that speak for many ranks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace xccl {

enum MeetingFrame : std::uint8_t {
    kWelcome = 1,
    kGather = 2,
    kGathered = 3,
    kFailed = 4,
    kLeave = 5,
};

constexpr std::size_t kMaxPartBytes = (1 << 20) + 4;  // of one rank, counted
constexpr std::size_t kMaxTableBytes = 256 << 20;     // of all ranks
constexpr std::size_t kMaxHeadBytes = 64;             // of a message, before the table
constexpr std::size_t kMaxFrameBytes = kMaxTableBytes + kMaxHeadBytes;

struct ProcessName {
    std::string host;
    std::int64_t pid = 0;
    bool operator==(const ProcessName&) const = default;
};
ProcessName this_process();
// "rank 3 on node7 (pid 4711)"
std::string rank_text(int rank, const ProcessName& process);

struct Introduction {
    int first_rank = 0;  // of the party: one rank, or those of a root
    int party_size = 1;
    int rank_count = 1;
    int root_index = 0;  // of the root that is called
    int root_count = 1;
    ProcessName process;
    std::uint32_t patience_ms = 0;
    std::string first_id;  // of root 0, for another root; empty for root 0
    bool operator==(const Introduction&) const = default;
};

std::string encode(const Introduction& introduction);
// Nothing if malformed, or if its numbers contradict each other.
std::optional<Introduction> decode_introduction(std::string_view bytes);

struct Server {
    ProcessName process;
    int rank = -1;  // that lives in it; -1: none, or not yet known
    bool operator==(const Server&) const = default;
};
// "rank 0 on node7 (pid 4711), whose process serves the rendezvous,"
std::string server_text(const Server& server);
std::string encode(const Server& server);
std::optional<Server> decode_server(std::string_view bytes);

std::string encode(const Status& status);
// A malformed one is a failure, too.
Status decode_status(std::string_view bytes);

struct Gather {
    std::uint32_t patience_ms = 0;
    std::string_view table;  // of the party's ranks
};
std::string encode(const Gather& gather);
std::optional<Gather> decode_gather(std::string_view bytes);

// Exactly `count` strings of at most kMaxPartBytes, or nothing.
std::optional<std::vector<std::string>> decode_table(std::string_view table, int count);
bool is_table(std::string_view table, int count);

// The ranks that meet at root `index`: those r for which r * roots / ranks == index.
struct RankRange {
    int first = 0;
    int count = 0;
    bool operator==(const RankRange&) const = default;
};
RankRange ranks_of_root(int index, int root_count, int rank_count);

}  // namespace xccl
