#include "observe/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

#include "base/config.h"

namespace xccl {
namespace {

constexpr std::array kLevelNames = {"error", "warn", "info", "debug", "trace"};

LogLevel level_of(std::string_view name) {
    for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
        if (name == kLevelNames[i]) return static_cast<LogLevel>(i);
    }
    return LogLevel::kWarn;
}

std::string replaced(std::string text, std::string_view token, const std::string& value) {
    for (auto at = text.find(token); at != std::string::npos;
         at = text.find(token, at + value.size())) {
        text.replace(at, token.size(), value);
    }
    return text;
}

int open_log() {
    const std::string& setting = config().debug_file;
    if (setting.empty()) return STDERR_FILENO;
    char host[256] = "host";
    gethostname(host, sizeof host - 1);
    const std::string path =
        replaced(replaced(setting, "%h", host), "%p", std::to_string(getpid()));
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) return file;
    const std::string complaint = fmt::format(
        "xccl warn: XCCL_DEBUG_FILE {} cannot be opened; logging to standard error\n", path);
    if (write(STDERR_FILENO, complaint.data(), complaint.size()) < 0) return STDERR_FILENO;
    return STDERR_FILENO;
}

}  // namespace

bool log_enabled(LogLevel level) {
    static const LogLevel most = level_of(config().debug);
    return level <= most;
}

// One write per line, so that lines of several ranks do not tear.
void log_line(LogLevel level, int rank, int rank_count, const char* room, std::string_view text) {
    static const int file = open_log();
    const char* name = kLevelNames[static_cast<std::size_t>(level)];
    const std::string line =
        rank < 0 ? fmt::format("xccl {} {}: {}\n", room, name, text)
                 : fmt::format("xccl {}/{} {} {}: {}\n", rank, rank_count, room, name, text);
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t more = write(file, line.data() + sent, line.size() - sent);
        if (more <= 0) return;  // a log that cannot be written is no reason to fail
        sent += static_cast<std::size_t>(more);
    }
}

}  // namespace xccl
