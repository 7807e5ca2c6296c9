#include "base/owned_descriptor.h"

#include <sys/resource.h>

#include <cerrno>

namespace xccl {

Status descriptor_failure(const char* what, int error) {
    if (error == EMFILE) {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        return system_error(
            "no file descriptor is left for {}: the limit of this process is {}; raise it with "
            "'ulimit -n' (RLIMIT_NOFILE)",
            what, limit.rlim_cur);
    }
    if (error == ENFILE) {
        return system_error(
            "no file descriptor is left for {}: the limit of this machine is reached; raise "
            "fs.file-max",
            what);
    }
    return system_error("cannot open {}: {}", what, errno_text("open", error));
}

}  // namespace xccl
