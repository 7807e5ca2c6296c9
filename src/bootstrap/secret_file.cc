#include "bootstrap/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/config.h"
#include "base/owned_descriptor.h"

namespace xccl {
namespace {

constexpr const char* kWhiteSpace = " \t\r\n";

Status check_owner(const std::string& path, const struct stat& status) {
    if (!S_ISREG(status.st_mode)) {
        return invalid_usage("XCCL_SECRET_FILE={} is not a regular file", path);
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        return invalid_usage(
            "XCCL_SECRET_FILE={} belongs to user {}, and this process runs as {}: use a file of "
            "your own",
            path, status.st_uid, geteuid());
    }
    if ((status.st_mode & 077) != 0) {
        return invalid_usage("XCCL_SECRET_FILE={} has mode {:04o}, so others may use it: chmod 600",
                             path, status.st_mode & 07777);
    }
    return ok_status();
}

}  // namespace

Result<Secret> read_secret_file(const std::string& path) {
    // Non-blocking: a FIFO must not hang us before it is refused.
    const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) {
        return invalid_usage("XCCL_SECRET_FILE={} cannot be read: {}", path,
                             errno_text("open", errno));
    }
    struct stat status {};
    if (fstat(file.get(), &status) != 0) {
        return system_error("XCCL_SECRET_FILE={}: {}", path, errno_text("fstat", errno));
    }
    XCCL_TRY(check_owner(path, status));
    std::string text(kMaxSettingBytes + 1, '\0');
    const ssize_t count = read(file.get(), text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    const std::size_t last = text.find_last_not_of(kWhiteSpace);
    text.resize(last == std::string::npos ? 0 : last + 1);
    if (text.size() < kMinSecretBytes || text.size() > kMaxSettingBytes) {
        return invalid_usage(
            "XCCL_SECRET_FILE={} must hold {} to {} bytes; for example: head -c 32 /dev/urandom | "
            "base64 > {}",
            path, kMinSecretBytes, kMaxSettingBytes, path);
    }
    return secret_from_text(text);
}

}  // namespace xccl
