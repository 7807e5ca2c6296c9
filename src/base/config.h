// Every setting of the library, in one table. It yields the struct, the strict parser, the text of
// `xccl-info --config` and the documentation page, and it is the only thing that reads the
// environment.
//
// A user should need none of these: what can be measured is measured.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status.h"

namespace xccl {

// What a value may look like. A default outside the range means "not set".
struct NumberRule {
    std::int64_t low, high;
};
struct BytesRule {  // 65536, 64K, 1M; 0 is always allowed
    std::int64_t low, high;
};
struct FlagRule {};  // 0 or 1
struct ChoiceRule {
    const char* names;  // "auto|shm|tcp"
};
struct TextRule {
    std::size_t max_bytes;
};
struct EndpointRule {};  // host:port or [IPv6]:port
struct SecretRule {};    // text; never printed
struct JobIdRule {};     // 16 hex digits, a colon, 64 hex digits; never printed

constexpr std::int64_t kMaxSettingMs = 0x7fffffff;  // what an int of milliseconds holds: 24 days
constexpr std::size_t kMaxSettingBytes = 4096;
constexpr std::size_t kMinSecretBytes = 16;

// X(type, field, variable, default, rule, sentence)
#define XCCL_SETTINGS(X)                                                                           \
    X(std::string, debug, "XCCL_DEBUG", "warn", (ChoiceRule{"error|warn|info|debug|trace"}),       \
      "How much is logged. NCCL_DEBUG is read when this is not set.")                              \
    X(std::string, debug_file, "XCCL_DEBUG_FILE", "", (TextRule{kMaxSettingBytes}),                \
      "File to which log lines are appended instead of standard error; %h is the host, %p the "    \
      "process.")                                                                                  \
    X(std::int64_t, timeout_ms, "XCCL_TIMEOUT_MS", 0, (NumberRule{0, kMaxSettingMs}),              \
      "Deadline of each operation in milliseconds; 0: none.")                                      \
    X(std::int64_t, init_timeout_ms, "XCCL_INIT_TIMEOUT_MS", 60000,                                \
      (NumberRule{1, kMaxSettingMs}), "Deadline of each phase of initialisation in milliseconds.") \
    X(bool, reproducible, "XCCL_REPRODUCIBLE", false, (FlagRule{}),                                \
      "Make results independent of algorithm, transport, chunking and placement.")                 \
    X(std::string, transport, "XCCL_TRANSPORT", "auto", (ChoiceRule{"auto|shm|tcp"}),              \
      "How bytes travel between ranks; auto takes shared memory wherever it is reachable.")        \
    X(std::string, socket_ifname, "XCCL_SOCKET_IFNAME", "", (TextRule{kMaxSettingBytes}),          \
      "Network interfaces to use: a list of prefixes; `=eth0` names one exactly, a leading `^` "   \
      "excludes. NCCL_SOCKET_IFNAME is read when this is not set.")                                \
    X(std::int64_t, tcp_streams, "XCCL_TCP_STREAMS", 2, (NumberRule{1, 16}),                       \
      "TCP connections between each pair of ranks.")                                               \
    X(std::int64_t, delay_ms, "XCCL_DELAY_MS", 0, (NumberRule{0, 60000}),                          \
      "Delays every message by this many milliseconds: for tests of overlap.")                     \
    X(std::int64_t, lanes, "XCCL_LANES", 0, (NumberRule{0, 8}),                                    \
      "Parallel copies of each schedule; 0: the planner chooses.")                                 \
    X(std::int64_t, slot_bytes, "XCCL_SLOT_BYTES", 0, (BytesRule{4096, 1 << 26}),                  \
      "Bytes of a mailbox slot; 0: the library chooses.")                                          \
    X(std::string, algorithm, "XCCL_ALGORITHM", "", (TextRule{kMaxSettingBytes}),                  \
      "Algorithm to use where it can serve the call, for one collective (`all_reduce:ring`) or "   \
      "for all (`ring`), as a comma list; empty: the planner chooses.")                            \
    X(bool, measure, "XCCL_MEASURE", true, (FlagRule{}),                                           \
      "Measure once what this machine's memory costs, for at most 0.2 s, and keep it in "          \
      "$XDG_CACHE_HOME/xccl or ~/.cache/xccl; 0: nothing is measured, read or written.")           \
    X(std::int64_t, spin_us, "XCCL_SPIN_US", 20, (NumberRule{0, 1000000}),                         \
      "How long a wait spins before it sleeps, in microseconds.")                                  \
    X(bool, spread, "XCCL_SPREAD", true, (FlagRule{}),                                             \
      "Where ranks outnumber cores, one that waits on a core with at least two ranks more than "   \
      "another goes there, by its affinity, which is then as before; 0: that is left to the "      \
      "system.")                                                                                   \
    X(std::int64_t, stall_warn_ms, "XCCL_STALL_WARN_MS", 5000, (NumberRule{0, kMaxSettingMs}),     \
      "A wait longer than this logs one line that names whom it waits for; 0: never.")             \
    X(bool, mismatch_check, "XCCL_MISMATCH_CHECK", true, (FlagRule{}),                             \
      "Report calls whose arguments differ between ranks.")                                        \
    X(std::string, host_id, "XCCL_HOST_ID", "", (TextRule{64}),                                    \
      "Takes the place of this host's identity, so that one machine can play several: for tests.") \
    X(std::string, root, "XCCL_ROOT", "", (EndpointRule{}),                                        \
      "Address at which process 0 of the job listens, `host:port`. NCCL_COMM_ID is read when "     \
      "this is not set.")                                                                          \
    X(std::string, secret, "XCCL_SECRET", "", (SecretRule{}),                                      \
      "Secret of the job for XCCL_ROOT, at least 16 bytes, the same on every rank.")               \
    X(std::string, secret_file, "XCCL_SECRET_FILE", "", (TextRule{kMaxSettingBytes}),              \
      "File that holds the secret of the job; only its owner may be able to read it.")             \
    X(std::int64_t, rank, "XCCL_RANK", -1, (NumberRule{0, kMaxRanks - 1}),                         \
      "This process's number in the job; set by xccl-run.")                                        \
    X(std::int64_t, size, "XCCL_SIZE", 0, (NumberRule{1, kMaxRanks}),                              \
      "Number of processes in the job; set by xccl-run.")                                          \
    X(std::int64_t, local_rank, "XCCL_LOCAL_RANK", -1, (NumberRule{0, kMaxRanks - 1}),             \
      "This process's number on its host; set by xccl-run.")                                       \
    X(std::int64_t, local_size, "XCCL_LOCAL_SIZE", 0, (NumberRule{1, kMaxRanks}),                  \
      "Number of the job's processes on this host; set by xccl-run.")                              \
    X(std::string, job_id, "XCCL_JOB_ID", "", (JobIdRule{}),                                       \
      "Name and secret of the job, 16 and 64 hex digits with a colon between; set by xccl-run.")   \
    X(std::string, recorder_file, "XCCL_RECORDER_FILE", "", (TextRule{kMaxSettingBytes}),          \
      "File to which the flight recorder is written when a communicator fails.")

struct Config {
#define XCCL_FIELD(type, field, variable, initial, rule, sentence) type field = initial;
    XCCL_SETTINGS(XCCL_FIELD)
#undef XCCL_FIELD
};

using EnvironmentEntry = std::pair<std::string, std::string>;  // name, value

// Pure. The first malformed value is the failure; unknown XCCL_* names become warnings.
Result<Config> parse_config(std::span<const EnvironmentEntry> environment,
                            std::vector<std::string>* warnings);

// What this process's environment said when it was first asked for; warnings are printed then.
// Thread-safe. The failure is for whoever initialises; config() answers with defaults in its place.
Result<Config> load_config();
const Config& config();

// docs/configuration.md.
std::string config_markdown();
// The values in force, one "NAME=value  (default)" a line; secrets are hidden.
std::string config_text(const Config& values);
inline std::string config_text() {
    return config_text(config());
}

// A variable that belongs to somebody else (a launcher's). Empty values count as not set.
std::optional<std::string> environment_variable(const char* name);

}  // namespace xccl
