// One line per event worth a person's time, on standard error (or XCCL_DEBUG_FILE):
//
//     xccl 3/8 plan info: all_reduce 64 MiB -> ring, 8 lanes, 512 KiB chunks
//
// Who decides on an error writes its line; nobody logs it again. Levels: error (someone must act),
// warn, info (once: topology, chosen plan), debug (per call), trace (per step). XCCL_DEBUG chooses;
// the default is warn.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace xccl {

enum class LogLevel : int { kError, kWarn, kInfo, kDebug, kTrace };

bool log_enabled(LogLevel level);

// `rank` < 0: not of a rank.
void log_line(LogLevel level, int rank, int rank_count, const char* room, std::string_view text);

template <typename... Args>
void log(LogLevel level, int rank, int rank_count, const char* room,
         fmt::format_string<Args...> text, Args&&... args) {
    if (log_enabled(level)) {
        log_line(level, rank, rank_count, room, fmt::format(text, std::forward<Args>(args)...));
    }
}

}  // namespace xccl
