// What is fixed for a whole run, and the seats of the ranks that live in this process.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collectives/collective.h"
#include "options/environment.h"
#include "options/options.h"
#include "report/json_report.h"
#include "run/crew.h"
#include "run/processes.h"
#include "run/progress.h"
#include "run/rank_buffers.h"
#include "run/stopper.h"

namespace xccl::perf {

// One rank: its communicator, stream and memory.
struct Seat {
    int rank = 0;
    xcclComm_t comm = nullptr;
    xcclStream_t stream = nullptr;  // null: calls return when they are complete
    std::unique_ptr<RankBuffers> buffers;
};

// The communicator that this process is part of; XCCL_TESTS_SPLIT makes several.
struct Group {
    int color = 0;
    int rank_count = 1;
    int first_rank = 0;  // of this process
    xcclUniqueId id{};
};

struct Session {
    const Collective* collective;
    const Options* options;
    const EnvironmentSettings* environment;
    Processes* processes;
    Stopper* stopper;
    Progress* progress;
    Crew* crew;
    Group group;
    SizeRange sizes;                          // after the memory cut
    std::vector<std::vector<double>> matrix;  // alltoallv: bytes; empty: by spread
    std::vector<Seat> seats;                  // of all threads of this process
    std::vector<DeviceLine> devices;          // of all ranks of the job
    std::size_t memory_before_init = 0;       // resident bytes, for -M
    std::size_t memory_after_init = 0;

    std::span<Seat> seats_of(int thread) {
        const auto per_thread = static_cast<std::size_t>(options->ranks_per_thread);
        return std::span(seats).subspan(static_cast<std::size_t>(thread) * per_thread, per_thread);
    }
    bool is_first_process() const { return processes->rank() == 0; }
};

// Who is where: joins the groups and lists the devices. Collective over processes.
void form_groups(Session* session);
// Cuts the sizes to what memory allows on every host; whether it had to. Collective.
bool cut_sizes(Session* session);
// Makes the communicators of the seats [first, first + count) together.
void open_communicators(Session* session, std::span<Seat> seats);
// Streams and buffers.
void furnish(Session* session, std::span<Seat> seats);
// Streams and memory, given back; communicators are the stopper's.
void clear_seats(std::span<Seat> seats);

}  // namespace xccl::perf
