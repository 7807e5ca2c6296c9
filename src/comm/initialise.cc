#include "comm/initialise.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/config.h"
#include "bootstrap/interfaces.h"
#include "comm/process.h"
#include "comm/segment_table.h"
#include "machine/machine_costs.h"
#include "observe/log.h"
#include "topology/host.h"
#include "transport/geometry.h"
#include "transport/segment_handover.h"
#include "transport/tcp.h"

namespace xccl {
namespace {

// One initialisation under way. Each step runs whatever became of the one before, as far as it can,
// and the first failure waits in `failure` for the vote.
class Initialisation {
  public:
    Initialisation(Exchange& exchange, CommunicatorOptions options,
                   const std::atomic<bool>* cancelled)
        : exchange_(exchange),
          options_(std::move(options)),
          cancelled_(cancelled),
          deadline_(Deadline::after_ms(options_.init_timeout_ms)) {}

    Result<std::shared_ptr<Communicator>> run();

  private:
    Status tell_and_learn();
    Status listen();
    Status check_alike() const;
    bool is_crowded_host() const;
    Status choose_sizes();
    Status make_segment();
    Status attach_segment(const std::vector<std::string>& handover_names);
    bool is_waited_for(const std::vector<std::string>& handover_names) const;
    Status connect();
    Status vote();
    void tell_those_who_made_it(const Status& failure);
    Status make_launcher();
    std::shared_ptr<Communicator> finish();
    void note(const Status& status) {
        if (failure_.ok()) failure_ = status;  // the first one counts
    }
    Result<std::vector<std::string>> all_gather(const std::string& mine);
    // What ends a wait for another rank.
    Status interrupted() const {
        if (cancelled_->load(std::memory_order_relaxed)) {
            return invalid_usage("the communicator was aborted while it was being made");
        }
        return exchange_.look();
    }
    // Has this rank failed alone, and could it tell the others at once?
    bool gives_up() { return failure_.code() == xcclSystemError && exchange_.give_up(failure_); }
    int rank() const { return exchange_.rank(); }
    const std::vector<int>& local_ranks() const {
        return membership_->topology.local_ranks(rank());
    }
    int process_of(int rank) const {
        return membership_->topology.process_of_rank[static_cast<std::size_t>(rank)];
    }
    bool first_of_process() const;
    bool spans_hosts() const { return membership_->topology.node_count() > 1; }
    int ranks_of_this_process() const;
    HostCosts agreed_costs() const;
    std::uint64_t cached_bytes() const;
    std::string segment_key() const;

    Exchange& exchange_;
    CommunicatorOptions options_;
    const std::atomic<bool>* const cancelled_;
    const Deadline deadline_;
    Status failure_;
    std::unique_ptr<Membership> membership_ = std::make_unique<Membership>();
    LaneGeometry geometry_;
    std::unique_ptr<TcpListener> listener_;
    std::unique_ptr<SegmentHandover> handover_;
    std::shared_ptr<Segment> segment_;
    std::unique_ptr<ControlStar> control_star_;  // of communicators that span hosts
    std::unique_ptr<Links> links_;
    std::unique_ptr<Launcher> launcher_;
};

// "read from file by rank 0"
std::string costs_text(const Membership& membership) {
    const int giver = membership.rank_of_costs();
    if (giver < 0) return tuning::kHost.origin;
    const Member& member = membership.members[static_cast<std::size_t>(giver)];
    return fmt::format("{} by rank {}", origin_name(member.cost_origin), giver);
}

Result<std::vector<std::string>> Initialisation::all_gather(const std::string& mine) {
    XCCL_TRY(interrupted());
    auto gathered = exchange_.all_gather(mine, deadline_);
    // Of what this system refused nobody knows better than this rank; of the others, the exchange.
    if (!gathered.ok() && failure_.code() == xcclSystemError) return failure_;
    return gathered;
}

// ---- Tell and learn -------------------------------------------------------------------------

Status Initialisation::tell_and_learn() {
    const Config& settings = config();
    const HostIdentity host = local_host();
    Member mine;
    mine.place = host.place;
    mine.host_name = host.name;
    mine.pid = getpid();
    mine.origin_rank = options_.origin_rank;
    mine.reproducible = options_.reproducible;
    mine.lanes = settings.lanes;
    mine.slot_bytes = settings.slot_bytes;
    mine.tcp_only = settings.transport == "tcp" || settings.delay_ms > 0;
    mine.algorithm = settings.algorithm;
    const MachineCosts machine = machine_costs();
    mine.cost_origin = machine.origin;
    mine.costs = machine.measured;
    const Status listening = listen();
    if (listener_) mine.tcp_addresses = listener_->endpoints();
    XCCL_ASSIGN(const auto gathered, all_gather(encode_member(mine)));
    membership_->rank = exchange_.rank();
    membership_->secret = exchange_.secret();
    for (const std::string& bytes : gathered) {
        XCCL_ASSIGN(Member member, decode_member(bytes));
        membership_->members.push_back(std::move(member));
    }
    // What one rank alone could see differently is decided by rank 0 for all.
    std::vector<RankInfo> places;
    for (std::size_t rank = 0; rank < membership_->members.size(); ++rank) {
        RankInfo place = membership_->members[rank].place;
        if (membership_->members[0].tcp_only) place.host_key += fmt::format("#{}", rank);
        places.push_back(std::move(place));
    }
    XCCL_ASSIGN(membership_->topology, make_topology(places));
    if (!spans_hosts()) return check_alike();
    note(listening);
    // Everybody takes part whatever has failed so far: the topology, which decides, is one for all.
    auto star = make_control_star(&exchange_, deadline_, cancelled_);
    note(star.status());
    if (!star.ok() && gives_up()) return failure_;  // others wait for it there
    if (star.ok()) control_star_ = std::move(star).value();
    return check_alike();
}

// Every rank listens before it knows whether anybody will call; those who need not, stop.
Status Initialisation::listen() {
    XCCL_ASSIGN(const auto addresses, usable_addresses(options_.interfaces));
    XCCL_ASSIGN(listener_, TcpListener::open(addresses));
    return ok_status();
}

Status Initialisation::check_alike() const {
    const Member& first = membership_->members[0];
    for (int rank = 1; rank < membership_->rank_count(); ++rank) {
        const Member& member = membership_->members[static_cast<std::size_t>(rank)];
        if (member.reproducible == first.reproducible) continue;
        return invalid_usage(
            "reproducible is {} on rank 0 and {} on {}; set it alike on all ranks (config or "
            "XCCL_REPRODUCIBLE)",
            first.reproducible ? 1 : 0, member.reproducible ? 1 : 0, membership_->name_of(rank));
    }
    return ok_status();
}

// ---- Shared memory --------------------------------------------------------------------------

int Initialisation::ranks_of_this_process() const {
    const auto& process = membership_->topology.process_of_rank;
    return static_cast<int>(std::count(process.begin(), process.end(), process_of(rank())));
}

bool Initialisation::first_of_process() const {
    const auto& process = membership_->topology.process_of_rank;
    return std::find(process.begin(), process.end(), process_of(rank())) - process.begin() ==
           rank();
}

// Unlike that of any other communicator of this process, and alike on its ranks.
std::string Initialisation::segment_key() const {
    const auto& secret = exchange_.secret();
    const int node = membership_->topology.node_of_rank[static_cast<std::size_t>(rank())];
    return std::string(secret.begin(), secret.end()) + std::to_string(node);
}

// Where ranks share cores whoever waits hands its core over, and finds nothing to do on a second
// tile before the others had their turns. One lane leaves room for larger slots: fewer turns.
bool Initialisation::is_crowded_host() const {
    const std::vector<bool>& crowded = membership_->topology.rank_is_crowded;
    return !spans_hosts() && std::find(crowded.begin(), crowded.end(), true) != crowded.end();
}

Status Initialisation::choose_sizes() {
    std::size_t most = 1;
    for (const auto& ranks : membership_->topology.ranks_of_node)
        most = std::max(most, ranks.size());
    GeometryWishes wishes;
    wishes.slotted_slot_bytes = static_cast<std::uint32_t>(membership_->members[0].slot_bytes);
    wishes.slotted_lanes = static_cast<int>(membership_->members[0].lanes);
    if (wishes.slotted_lanes == 0 && is_crowded_host()) wishes.slotted_lanes = 1;
    XCCL_ASSIGN(geometry_, choose_geometry(static_cast<int>(most), wishes,
                                           spans_hosts() ? kSeveralHosts : kOneHost));
    return ok_status();
}

// The lowest rank of a host makes the segment, and offers it to the other processes.
Status Initialisation::make_segment() {
    XCCL_TRY(choose_sizes());
    if (local_ranks()[0] != rank()) return ok_status();
    XCCL_ASSIGN(const SegmentLayout layout,
                SegmentLayout::make(static_cast<int>(local_ranks().size()), geometry_));
    const bool one_process = ranks_of_this_process() == static_cast<int>(local_ranks().size());
    const auto make = [&] {
        return one_process ? Segment::create_private(layout) : Segment::create(layout);
    };
    XCCL_ASSIGN(segment_,
                share_segment(segment_key(), ranks_of_this_process(), true, make, deadline_));
    if (!one_process) {
        XCCL_ASSIGN(handover_, SegmentHandover::open(segment_, exchange_.secret()));
    }
    return ok_status();
}

// The first rank of every other process fetches it, for all ranks of that process.
Status Initialisation::attach_segment(const std::vector<std::string>& handover_names) {
    const int maker = local_ranks()[0];
    if (maker == rank()) {
        if (!handover_) return ok_status();
        std::set<int> processes;
        for (const int local : local_ranks()) processes.insert(process_of(local));
        return handover_->serve(static_cast<int>(processes.size()) - 1, deadline_,
                                [this] { return interrupted(); });
    }
    const bool fetches = first_of_process();
    const std::string& name = handover_names[static_cast<std::size_t>(maker)];
    const auto fetch = [&]() -> Result<std::shared_ptr<Segment>> {
        if (name.empty())
            return remote_error("{} could not make the shared memory", membership_->name_of(maker));
        XCCL_ASSIGN(const SegmentLayout layout,
                    SegmentLayout::make(static_cast<int>(local_ranks().size()), geometry_));
        return fetch_segment(name, exchange_.secret(), layout, deadline_,
                             [this] { return interrupted(); });
    };
    XCCL_ASSIGN(segment_,
                share_segment(segment_key(), ranks_of_this_process(), fetches, fetch, deadline_));
    return ok_status();
}

// Does the maker wait for this rank's process to fetch the segment?
bool Initialisation::is_waited_for(const std::vector<std::string>& handover_names) const {
    const int maker = local_ranks()[0];
    return maker != rank() && first_of_process() &&
           !handover_names[static_cast<std::size_t>(maker)].empty();
}

// ---- Links ----------------------------------------------------------------------------------

Status Initialisation::connect() {
    XCCL_TRY(segment_->enrol(membership_->topology.local_index(rank())));
    auto local = std::make_unique<SharedMemoryTransport>(segment_, rank(), local_ranks());
    std::unique_ptr<TcpTransport> remote;
    DoorbellSocket doorbell_socket;
    if (spans_hosts()) {
        XCCL_ASSIGN(
            doorbell_socket,
            DoorbellSocket::open(segment_->doorbell(membership_->topology.local_index(rank()))));
        TcpOptions tcp;
        tcp.rank = rank();
        tcp.rank_count = exchange_.rank_count();
        tcp.secret = exchange_.secret();
        tcp.geometry = geometry_;
        tcp.stream_count = static_cast<int>(config().tcp_streams);
        tcp.delay_ms = static_cast<int>(config().delay_ms);
        tcp.connect_timeout_ms = options_.init_timeout_ms;
        tcp.name_of = [membership = membership_.get()](int peer) {
            return membership->name_of(peer);
        };
        std::vector<std::vector<std::string>> endpoints;
        for (const Member& member : membership_->members) endpoints.push_back(member.tcp_addresses);
        XCCL_ASSIGN(remote,
                    TcpTransport::make(std::move(tcp), std::move(listener_), std::move(endpoints)));
    }
    links_ = std::make_unique<Links>(membership_.get(), std::move(local), std::move(remote),
                                     std::move(doorbell_socket));
    return ok_status();
}

// Everybody learns whether everybody has succeeded; the lowest rank that has not speaks for all.
Status Initialisation::vote() {
    XCCL_ASSIGN(const auto verdicts,
                all_gather(failure_.ok() ? std::string()
                                         : fmt::format("{} {}", static_cast<int>(failure_.code()),
                                                       failure_.text())));
    for (std::size_t voter = 0; voter < verdicts.size(); ++voter) {
        const std::string& verdict = verdicts[voter];
        if (verdict.empty()) continue;
        if (static_cast<int>(voter) == rank()) return failure_;
        const std::size_t blank = verdict.find(' ');
        const int code = std::atoi(verdict.c_str());
        const bool known =
            code > xcclSuccess && code < xcclNumResults && blank != std::string::npos;
        const std::string text =
            fmt::format("rank {}: {}", voter, known ? verdict.substr(blank + 1) : "failed");
        return Status(known ? static_cast<xcclResult_t>(code) : xcclRemoteError, text);
    }
    return ok_status();
}

// A rank that dies during the vote may be missed by some only. The others would next see those go.
void Initialisation::tell_those_who_made_it(const Status& failure) {
    if (!segment_ || !links_) return;
    FailureWatch watch(membership_.get(), segment_, local_ranks(), std::move(control_star_));
    (void)watch.tell(failure, -1);
}

HostCosts Initialisation::agreed_costs() const {
    const int giver = membership_->rank_of_costs();
    if (giver < 0) return tuning::kHost;
    const Member& member = membership_->members[static_cast<std::size_t>(giver)];
    HostCosts costs = host_costs(member.costs);
    costs.origin = origin_name(member.cost_origin);
    return costs;
}

// What this rank may touch before it writes past the caches.
std::uint64_t Initialisation::cached_bytes() const {
    const Topology& topology = membership_->topology;
    const auto machine =
        static_cast<std::size_t>(topology.machine_of_rank[static_cast<std::size_t>(rank())]);
    const int giver = membership_->rank_of_caches(rank());
    const MeasuredCosts costs =
        giver < 0 ? built_in_costs() : membership_->members[static_cast<std::size_t>(giver)].costs;
    return cached_bytes_of_rank(costs, topology.ranks_of_machine[machine].size(),
                                topology.cores_of_machine[machine]);
}

Status Initialisation::make_launcher() {
    PlanLimits limits;
    limits.flagged_payload_bytes = payload_bytes(geometry_, 0);
    limits.slotted_payload_bytes = payload_bytes(geometry_, geometry_.flagged_lanes);
    limits.flagged_slot_count = geometry_.flagged_slot_count;
    limits.slotted_slot_count = geometry_.slotted_slot_count;
    limits.flagged_lanes = geometry_.flagged_lanes;
    limits.slotted_lanes = geometry_.slotted_lanes;
    PlannerOptions wishes;
    wishes.algorithm = membership_->members[0].algorithm;
    wishes.lanes = static_cast<int>(membership_->members[0].lanes);
    wishes.costs = agreed_costs();
    XCCL_ASSIGN(auto planner, Planner::make(membership_->topology, rank(), limits, wishes));
    launcher_ = std::make_unique<Launcher>(rank(), exchange_.rank_count(), std::move(planner),
                                           options_.reproducible, cached_bytes());
    return ok_status();
}

std::shared_ptr<Communicator> Initialisation::finish() {
    auto watch = std::make_unique<FailureWatch>(membership_.get(), segment_, local_ranks(),
                                                std::move(control_star_));
    auto comm =
        std::make_shared<Communicator>(std::move(options_), std::move(membership_),
                                       std::move(links_), std::move(watch), std::move(launcher_));
    enlist(comm);
    const Topology& topology = comm->membership().topology;
    log(LogLevel::kInfo, comm->rank(), comm->rank_count(), "comm",
        "{} ranks on {} hosts, {} kernels, costs {}", comm->rank_count(), topology.node_count(),
        instruction_set(), costs_text(comm->membership()));
    return comm;
}

Result<std::shared_ptr<Communicator>> Initialisation::run() {
    XCCL_TRY(tell_and_learn());
    note(make_segment());
    XCCL_ASSIGN(const auto names, all_gather(handover_ ? handover_->name() : std::string()));
    if (failure_.ok()) note(attach_segment(names));
    if (failure_.ok()) note(connect());
    if (failure_.ok()) note(make_launcher());
    if (is_waited_for(names) && gives_up()) return failure_;
    const Status verdict = vote();
    if (!verdict.ok()) tell_those_who_made_it(verdict);
    XCCL_TRY(verdict);
    return finish();
}

}  // namespace

Result<std::shared_ptr<Communicator>> initialise(Exchange& exchange, CommunicatorOptions options,
                                                 const std::atomic<bool>* cancelled) {
    return Initialisation(exchange, std::move(options), cancelled).run();
}

Result<std::shared_ptr<Communicator>> initialise_by_ids(const std::vector<xcclUniqueId>& ids,
                                                        int rank, int rank_count,
                                                        CommunicatorOptions options,
                                                        const std::atomic<bool>* cancelled) {
    XCCL_ASSIGN(auto exchange, join(ids, rank, rank_count,
                                    Deadline::after_ms(options.init_timeout_ms), cancelled));
    return initialise(*exchange, std::move(options), cancelled);
}

}  // namespace xccl
