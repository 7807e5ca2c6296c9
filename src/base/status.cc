#include "base/status.h"

#include <cstring>

namespace xccl {

std::string errno_text(const char* call, int error) {
    char buffer[128];
    return fmt::format("{}: {} (errno {})", call, strerror_r(error, buffer, sizeof buffer), error);
}

}  // namespace xccl
