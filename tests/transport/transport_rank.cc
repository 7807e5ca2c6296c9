// One rank in a process of its own: fetches a segment, enrols, and ends in the way it is told.
//
//     transport_rank <name> <secret byte> <ranks> <rank> <wait|leave|exit|exec> [megabytes] [user]
//
// `megabytes` of memory are filled before it enrols, so that its end takes long.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "transport/geometry.h"
#include "transport/segment_handover.h"

int main(int argc, char** argv) {
    using namespace xccl;
    if (argc < 6) return 2;
    Secret secret;
    secret.fill(static_cast<std::uint8_t>(std::atoi(argv[2])));
    const int ranks = std::atoi(argv[3]), rank = std::atoi(argv[4]);
    const std::string action = argv[5];
    const std::size_t bytes = argc > 6 ? std::strtoull(argv[6], nullptr, 10) << 20 : 0;
    if (argc > 7 && setuid(static_cast<uid_t>(std::atoi(argv[7]))) != 0) return 2;
    if (bytes > 0 && mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED) {
        return 2;
    }
    const auto geometry = choose_geometry(ranks);
    const auto layout = SegmentLayout::make(ranks, *geometry);
    auto segment = fetch_segment(argv[1], secret, *layout, Deadline::after_ms(20000));
    if (!segment.ok()) {
        std::fprintf(stderr, "%s\n", segment.status().text().c_str());
        return 3;
    }
    const Status enrolled = (*segment)->enrol(rank);
    if (!enrolled.ok()) return 4;
    if (action == "leave") (*segment)->leave(rank);
    if (action == "exit") _exit(0);
    if (action == "exec") execl("/bin/sleep", "sleep", "20", static_cast<char*>(nullptr));
    if (action == "wait") sleep(60);
    return 0;
}
