#include "run/library_call.h"

#include <fmt/format.h>

#include <string_view>

#include "failure.h"
#include "run/host.h"

namespace xccl::perf {

void require(xcclResult_t result, xcclComm_t comm, const char* file, int line) {
    if (result == xcclSuccess) return;
    std::string_view name = file;
    name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
    throw Failure(ExitCode::kLibraryError,
                  fmt::format("{}: Test XCCL failure {}:{} '{} / {}'", host_name(), name, line,
                              xcclGetErrorString(result), xcclGetLastError(comm)));
}

}  // namespace xccl::perf
