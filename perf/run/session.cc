#include "run/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "run/host.h"
#include "run/library_call.h"

namespace xccl::perf {
namespace {

// What processes tell each other of themselves.
struct ProcessCard {
    int color;
    int process_id;
    int first_device;
    char host[64];
    char description[96];
    xcclUniqueId id;  // of the first process of each color
};

template <std::size_t kSize>
void copy_text(char (&target)[kSize], const std::string& text) {
    const std::size_t length = std::min(text.size(), kSize - 1);
    std::memcpy(target, text.data(), length);
    target[length] = 0;
}

std::vector<int> colors_of(const Session& session) {
    std::vector<int> colors;
    for (int process = 0; process < session.processes->count(); ++process) {
        const auto& split = session.environment->split;
        colors.push_back(split ? split->color(process) : 0);
    }
    return colors;
}

ProcessCard own_card(const Session& session, bool makes_id) {
    ProcessCard card{};
    card.color = session.group.color;
    card.process_id = getpid();
    const int given = session.environment->first_device;
    card.first_device =
        given >= 0 ? given : session.processes->local_rank() * session.options->ranks_per_process();
    copy_text(card.host, host_name());
    copy_text(card.description, "host memory, " + processor_name());
    if (makes_id) require(xcclGetUniqueId(&card.id));
    return card;
}

void list_devices(Session* session, const std::vector<ProcessCard>& cards) {
    const int each = session->options->ranks_per_process();
    std::vector<int> next_rank;  // by color, found linearly: colors are few
    std::vector<int> colors;
    for (const ProcessCard& card : cards) {
        auto at = std::find(colors.begin(), colors.end(), card.color);
        if (at == colors.end()) {
            colors.push_back(card.color);
            next_rank.push_back(0);
            at = colors.end() - 1;
        }
        int& rank = next_rank[static_cast<std::size_t>(at - colors.begin())];
        for (int i = 0; i < each; ++i) {
            session->devices.push_back({rank++, card.color, card.process_id, card.host,
                                        card.first_device + i, card.description});
        }
    }
}

int ranks_on_this_host(const Session& session) {
    const std::string own = host_name();
    return static_cast<int>(std::count_if(session.devices.begin(), session.devices.end(),
                                          [&](const DeviceLine& d) { return d.host == own; }));
}

}  // namespace

void form_groups(Session* session) {
    const std::vector<int> colors = colors_of(*session);
    const auto own = static_cast<std::size_t>(session->processes->rank());
    const int each = session->options->ranks_per_process();
    Group& group = session->group;
    group.color = colors[own];
    const auto members = std::count(colors.begin(), colors.end(), group.color);
    const auto before =
        std::count(colors.begin(), colors.begin() + static_cast<long>(own), group.color);
    group.rank_count = static_cast<int>(members) * each;
    group.first_rank = static_cast<int>(before) * each;

    const bool makes_id = before == 0 && group.rank_count > 1;
    const std::vector<ProcessCard> cards = session->processes->gather(own_card(*session, makes_id));
    const auto leader = std::find(colors.begin(), colors.end(), group.color) - colors.begin();
    group.id = cards[static_cast<std::size_t>(leader)].id;
    list_devices(session, cards);

    session->seats.resize(static_cast<std::size_t>(each));
    for (int i = 0; i < each; ++i) {
        session->seats[static_cast<std::size_t>(i)].rank = group.first_rank + i;
    }
}

bool cut_sizes(Session* session) {
    const std::size_t extra = RankBuffers::extra_bytes(session->options->unalign);
    const std::size_t wanted = session->environment->memory_bytes;
    const std::size_t memory =
        wanted > 0 ? std::min(wanted, available_memory()) : available_memory();
    const std::size_t own = largest_size(memory, ranks_on_this_host(*session), extra);
    const std::vector<std::size_t> all = session->processes->gather(own);
    const std::size_t largest = *std::min_element(all.begin(), all.end());
    SizeRange& sizes = session->sizes;
    if (sizes.last_bytes <= largest) return false;
    if (largest == 0) {
        throw Failure(ExitCode::kNotPossible,
                      fmt::format("{}: no memory for {} ranks; give fewer of them, or end other "
                                  "programs",
                                  host_name(), ranks_on_this_host(*session)),
                      FoundBy::kAllProcesses);
    }
    sizes.last_bytes = largest;
    sizes.first_bytes = std::min(sizes.first_bytes, largest);
    return true;
}

void open_communicators(Session* session, std::span<Seat> seats) {
    const Group& group = session->group;
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    const std::string name = fmt::format("{}_perf", session->collective->name);
    config.commName = name.c_str();
    if (seats.size() > 1) require(xcclGroupStart());
    for (Seat& seat : seats) {
        require(xcclCommInitRankConfig(&seat.comm, group.rank_count, group.id, seat.rank, &config));
    }
    if (seats.size() > 1) require(xcclGroupEnd());
    for (const Seat& seat : seats) session->stopper->watch(seat.comm);
}

void furnish(Session* session, std::span<Seat> seats) {
    const Options& options = *session->options;
    for (Seat& seat : seats) {
        if (!options.null_stream) require(xcclStreamCreate(&seat.stream));
        seat.buffers = std::make_unique<RankBuffers>(session->sizes.last_bytes, options.unalign);
        if (options.local_register == 0) continue;
        // Both registrations end with the communicator.
        void* handle = nullptr;
        const RankBuffers& buffers = *seat.buffers;
        for (std::byte* memory : {buffers.send_memory(), buffers.receive_memory()}) {
            require(xcclCommRegister(seat.comm, memory, buffers.memory_bytes(), &handle),
                    seat.comm);
        }
    }
}

void clear_seats(std::span<Seat> seats) {
    for (Seat& seat : seats) {
        if (seat.stream != nullptr) xcclStreamDestroy(seat.stream);
        seat.stream = nullptr;
        seat.buffers.reset();
    }
}

}  // namespace xccl::perf
