// Says where it stands in its job, and what ids it shares with the others:
//
//     launched openmpi 1/4 1/4 3f0a...,77c1...          launcher, rank/size, local, ids
//
// A launcher starts several of these; launched_processes.py compares what they say. An argument is
// the number of ids (default 2). Ids are random here: nothing listens at them.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bootstrap/job_id.h"
#include "bootstrap/launch.h"
#include "trust/secret.h"

using namespace xccl;

namespace {

Result<xcclUniqueId> random_id() {
    xcclUniqueId id;
    random_bytes(id.internal, sizeof id.internal);
    return id;
}

int fail(const Status& status) {
    std::fprintf(stderr, "launched_process: %s\n", status.text().c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 2;
    const auto launch = detect_launch();
    if (!launch.ok()) return fail(launch.status());
    std::string line = fmt::format("launched {} {}/{} {}/{} ", launch->launcher, launch->rank,
                                   launch->size, launch->local_rank, launch->local_size);
    for (int i = 0; i < count; ++i) {
        const auto id = job_unique_id(random_id);
        if (!id.ok()) return fail(id.status());
        if (i > 0) line += ',';
        line += to_hex({id->internal, sizeof id->internal});
    }
    line += "\n";
    // One write, so that lines of several processes do not mix.
    return write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()) ? 0
                                                                                               : 1;
}
