#include "report/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "program/failure.h"

namespace xccl::trainer {
namespace {

bool is_special(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

bool is_directory(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace

OutputFile::OutputFile(const std::string& what, const std::string& path, std::size_t reserved_bytes)
    : what_(what), path_(path), part_(path), reserved_bytes_(reserved_bytes) {
    if (is_directory(path)) fail("write", EISDIR);
    if (is_special(path)) {
        reserved_bytes_ = 0;
        descriptor_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor_ < 0) fail("open", errno);
        return;
    }
    part_ += ".part";
    descriptor_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail("create", errno);
    if (reserved_bytes_ == 0) return;
    // A file system that can't reserve says so; then the first write that fails is the message.
    const int error = posix_fallocate(descriptor_, 0, static_cast<off_t>(reserved_bytes_));
    if (error != 0 && error != EOPNOTSUPP && error != EINVAL) fail("reserve room for", error);
}

OutputFile::~OutputFile() {
    discard();
}

void OutputFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) fail("write", errno);
        written_bytes_ += static_cast<std::size_t>(put);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

void OutputFile::commit() {
    const bool special = part_ == path_;
    if (!special && written_bytes_ < reserved_bytes_ &&
        ftruncate(descriptor_, static_cast<off_t>(written_bytes_)) != 0) {
        fail("shorten", errno);
    }
    if (!special && fsync(descriptor_) != 0) fail("write", errno);
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (close(descriptor) != 0) fail("close", errno);
    if (!special && rename(part_.c_str(), path_.c_str()) != 0) fail("rename", errno);
    part_ = path_;
}

void OutputFile::discard() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
    if (part_ != path_) unlink(part_.c_str());
    part_ = path_;
}

void OutputFile::fail(const char* action, int error) {
    discard();
    const char* advice = error == ENOSPC || error == EDQUOT || error == EFBIG
                             ? "Free some space, or choose another place"
                             : "Choose another place";
    throw Failure(kOutputFailed, "cannot {} the {} {}: {}. {} with --{}.", action, what_, path_,
                  std::strerror(error), advice, what_);
}

}  // namespace xccl::trainer
