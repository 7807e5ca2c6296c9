#include "machine/cost_file.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/config.h"
#include "machine/cost_text.h"

namespace xccl {
namespace {

// FNV-1a: the name of a file must be the same in every build.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

// Others may write where they own: what is kept there could not be believed.
bool is_own_folder(const std::string& folder) {
    struct stat status {};
    return lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// The cache folder and ours in it; not those above, which are not ours to make.
Status make_folder(const std::string& folder) {
    // Whose home it is not had better not leave a cache folder there that its owner cannot use.
    const std::string parent = folder.substr(0, folder.rfind('/'));
    struct stat home {};
    if (stat(parent.substr(0, parent.rfind('/')).c_str(), &home) == 0 && home.st_uid == geteuid()) {
        (void)mkdir(parent.c_str(), 0700);
    }
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return system_error("{}: {}", folder, errno_text("mkdir", errno));
    }
    if (!is_own_folder(folder)) return invalid_usage("{} is not this user's folder", folder);
    return ok_status();
}

Status write_all(const std::string& path, const std::string& text) {
    const OwnedDescriptor file(
        open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return system_error("{}: {}", path, errno_text("open", errno));
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
        return system_error("{}: {}", path, errno_text("write", written < 0 ? errno : ENOSPC));
    }
    return ok_status();
}

}  // namespace

std::string user_cache_folder() {
    if (getauxval(AT_SECURE) != 0) return "";  // with more rights than the caller, who names it
    const auto cache = environment_variable("XDG_CACHE_HOME");
    if (cache && cache->front() == '/') return *cache + "/xccl";
    const auto home = environment_variable("HOME");
    return home && home->front() == '/' ? *home + "/.cache/xccl" : "";
}

CostFile::CostFile(std::string folder, std::string machine)
    : folder_(std::move(folder)), machine_(std::move(machine)) {
    path_ = fmt::format("{}/costs-{:016x}.json", folder_, hash_of(machine_));
}

Result<MeasuredCosts> CostFile::read() const {
    // Non-blocking: a FIFO of that name must not hang us.
    const OwnedDescriptor file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file && errno == ENOENT) return invalid_usage("");
    if (!file) return invalid_usage("{}", errno_text("open", errno));
    if (!is_own_folder(folder_)) return invalid_usage("lies in a folder that is not this user's");
    std::string text(kMaxCostTextBytes + 1, '\0');
    const ssize_t count = ::read(file.get(), text.data(), text.size());
    if (count < 0) return invalid_usage("{}", errno_text("read", errno));
    text.resize(static_cast<std::size_t>(count));
    return parse_cost_text(text, machine_);
}

Result<OwnedDescriptor> CostFile::lock() const {
    XCCL_TRY(make_folder(folder_));
    const std::string path = path_ + ".lock";
    OwnedDescriptor file(
        open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!file) return system_error("{}: {}", path, errno_text("open", errno));
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno == EWOULDBLOCK) return OwnedDescriptor();
    return system_error("{}: {}", path, errno_text("flock", errno));
}

Status CostFile::write(const MeasuredCosts& costs) const {
    const std::string unfinished = path_ + ".new";  // one for all: there is one lock
    Status written = write_all(unfinished, cost_text(costs, machine_));
    if (written.ok() && rename(unfinished.c_str(), path_.c_str()) == 0) return ok_status();
    const int error = errno;
    (void)unlink(unfinished.c_str());
    if (!written.ok()) return written;
    return system_error("{}: {}", path_, errno_text("rename", error));
}

}  // namespace xccl
