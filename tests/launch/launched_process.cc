// Says where it stands in its job, and what ids it shares with the others:
//
//     launched openmpi 1/4 1/4 3f0a...,77c1...          launcher, rank/size, local, ids
//
// A launcher starts several of these; launched_processes.py compares what they say.
//
//     launched_process [STAGES [MPI_LIBRARY]]
//
// STAGES has a letter for each id that is asked for: b before MPI_Init(), d during, a after
// MPI_Finalize(), of the MPI library if one is named. Default: bb. Ids are random here: nothing
// listens at them.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

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

class Mpi {
  public:
    explicit Mpi(const char* library) {
        if (library == nullptr) return;
        void* const handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
        if (handle == nullptr) return;
        init_ = reinterpret_cast<int (*)(int*, char***)>(dlsym(handle, "MPI_Init"));
        finalize_ = reinterpret_cast<int (*)()>(dlsym(handle, "MPI_Finalize"));
    }
    void enter(char stage) {
        if (stage == 'd' && !running_ && init_ != nullptr) running_ = init_(nullptr, nullptr) == 0;
        if (stage == 'a' && running_ && finalize_ != nullptr) running_ = finalize_() != 0;
    }

  private:
    int (*init_)(int*, char***) = nullptr;
    int (*finalize_)() = nullptr;
    bool running_ = false;
};

int fail(const Status& status) {
    std::fprintf(stderr, "launched_process: %s\n", status.text().c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view stages = argc > 1 ? argv[1] : "bb";
    Mpi mpi(argc > 2 ? argv[2] : nullptr);
    const auto launch = detect_launch();
    if (!launch.ok()) return fail(launch.status());
    std::string line = fmt::format("launched {} {}/{} {}/{} ", launch->launcher, launch->rank,
                                   launch->size, launch->local_rank, launch->local_size);
    for (const char stage : stages) {
        mpi.enter(stage);
        const auto id = job_unique_id(random_id);
        if (!id.ok()) return fail(id.status());
        line += to_hex({id->internal, sizeof id->internal});
        line += ',';
    }
    mpi.enter('a');
    line.back() = '\n';
    // One write, so that lines of several processes do not mix.
    const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
    return written == static_cast<ssize_t>(line.size()) ? 0 : 1;
}
