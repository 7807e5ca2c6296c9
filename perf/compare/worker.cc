// One rank of one library in a comparison: the loop that is the same for all.
//
//   compare_<library> SOCKET STARTING_LINE [ARGUMENTS OF THE LIBRARY...]
//
// It opens its library, tells the coordinator at the Unix socket who it is, and then sleeps in a
// read until it is told to measure, so that jobs can live side by side and only one of them runs:
//
//   hello RANK RANKS|DESCRIPTION|ALGORITHM ALGORITHM...          what a rank says first
//   measure ...                                                  what it is told, see request.h
//   times SWITCHES PROCESSOR_NS START_NS PASSED_NS START_NS...   what it answers, or
//   unfit                                                        the library does not do that, or
//   wrong TEXT                                                   a result was not what it must be
//
// SWITCHES: involuntary ones during the request; PROCESSOR_NS: all threads' processor time within
// the timed calls of large requests, else 0; then each timed call, on the clock of the machine.
//
// Buffers are made for each request, page-aligned and touched. Before each call all ranks line up,
// untimed, and so is all that is done to the buffers; where ranks outnumber cores they line up
// behind it, too. Every element is checked: of the last call's output where the same buffers are
// used again and again, else of every one. Inputs change from one call to the next, so that an old
// result is a wrong one.
#include "worker.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "library.h"
#include "measure.h"
#include "measure/cores.h"
#include "request.h"
#include "starting_line.h"

namespace xccl::compare {
namespace {

// Where there is a core for each rank, each calling thread has its own, as for all libraries; their
// helper threads stay free.
void take_own_core(int rank, int rank_count) {
    if (perf::core_count() >= rank_count) perf::take_core(rank);
}

struct Coordinator {
    std::FILE* hears = nullptr;
    std::FILE* says = nullptr;

    void tell(const std::string& text) const {
        std::fprintf(hears, "%s\n", text.c_str());
        std::fflush(hears);
    }
};

Coordinator dial(const char* path) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (descriptor < 0 ||
        connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        give_up(std::string("the coordinator at ") + path +
                " does not answer: " + std::strerror(errno));
    }
    return {.hears = fdopen(descriptor, "w"), .says = fdopen(dup(descriptor), "r")};
}

void serve(Library& library, StartingLine& line, const Coordinator& coordinator) {
    char text[256];
    while (std::fgets(text, sizeof text, coordinator.says) != nullptr) {
        if (std::string(text) == "end\n") return;
        coordinator.tell(measure(library, line, read_request(text)));
    }
}

}  // namespace

void serve_coordinator(Library& library, const char* socket, const char* starting_line) {
    StartingLine line(starting_line, library.rank_count());
    take_own_core(library.rank(), library.rank_count());

    const Coordinator coordinator = dial(socket);
    std::ostringstream hello;
    hello << "hello " << library.rank() << ' ' << library.rank_count() << '|'
          << library.description() << '|';
    for (const std::string& algorithm : library.algorithms()) hello << algorithm << ' ';
    coordinator.tell(hello.str());
    serve(library, line, coordinator);
}

}  // namespace xccl::compare
