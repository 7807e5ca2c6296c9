#include "simulator/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>

namespace xccl::simulator {
namespace {

constexpr int kPoison = 0xee;  // what a released slot is overwritten with

// Is `a` after `b`? Sequence numbers wrap around.
bool is_after(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) > 0;
}

std::byte* payload_of(const MailboxView& view, std::uint32_t sequence) {
    return reinterpret_cast<std::byte*>(view.header(sequence) + 1);
}

}  // namespace

// One direction between two machines.
struct Network::Path {
    struct Message {
        std::uint32_t sequence;
        std::uint32_t signature;
        std::vector<std::byte> payload;
    };
    struct LaneState {
        std::uint32_t announced = 0;  // messages that the sender has published
        std::uint32_t taken = 0;      // of these, those that have left its mailbox
        std::deque<Message> unseen;   // on one host: stores that the peer does not see yet
        std::uint32_t released = 0;   // messages that the receiver has released
        Time last_arrival = 0;        // of a message
        Time last_credit = 0;
        PostedReceive posted;  // where the receiver wants its next message
    };
    Path(const LaneGeometry& geometry, int f, int t, bool shared, std::uint32_t s)
        : from(f), to(t), on_one_host(shared), start(s), out(geometry), in(geometry) {
        out.begin_at(start);
        in.begin_at(start);
        lanes.resize(static_cast<std::size_t>(geometry.lane_count()));
        reset();
    }
    void reset() {
        for (LaneState& lane : lanes) {
            lane = {};
            lane.announced = lane.taken = lane.released = start;
        }
        cut = sender_dead = false;
        stalled_until = 0;
    }

    const int from;
    const int to;
    const bool on_one_host;
    const std::uint32_t start;
    testing::MailboxMemory out;  // where the sender writes
    testing::MailboxMemory in;   // where the receiver reads
    std::vector<LaneState> lanes;
    bool cut = false;
    bool sender_dead = false;
    Time stalled_until = 0;
};

// The carrier of one link, as the engine sees it.
class Network::Carrier : public xccl::Carrier {
  public:
    Carrier(Network* network, int from, int to) : network_(*network), from_(from), to_(to) {}
    const char* name() const override { return "simulated"; }
    void published(int, int lane) override {
        Path& path = network_.path(from_, to_);
        ++path.lanes[lane].announced;
        network_.after(network_.random_.between(0, network_.conditions_.shortest_delay), path,
                       [this, &path, lane] { network_.take(path, lane); });
    }
    void released(int, int lane) override {
        network_.return_credit(network_.path(to_, from_), lane);
    }
    void post(int, int lane, const PostedReceive& posted) override {
        network_.path(to_, from_).lanes[lane].posted = posted;
    }
    void keep_payloads() override {
        for (Path::LaneState& lane : network_.path(to_, from_).lanes) lane.posted = {};
    }
    Result<bool> progress() override { return false; }
    bool flushed() const override { return true; }
    bool flushed(int, int lane) const override {
        const Path& path = network_.path(from_, to_);
        return path.cut || path.lanes[lane].taken == path.lanes[lane].announced;
    }
    void announce(const OperationDescriptor&) override {}
    void tell(int) override {}
    std::optional<OperationDescriptor> heard(int) const override { return std::nullopt; }

  private:
    Network& network_;
    const int from_;
    const int to_;
};

Network::Network(Events* events, Random* random, LaneGeometry geometry, std::vector<int> host_of,
                 NetworkConditions conditions, std::uint32_t start)
    : events_(*events),
      random_(*random),
      geometry_(geometry),
      host_of_(std::move(host_of)),
      conditions_(conditions),
      start_(start),
      links_(host_of_.size()),
      bells_(host_of_.size()),
      asleep_(host_of_.size()) {}

Network::~Network() = default;

Network::Path& Network::path(int from, int to) {
    auto& path = paths_[static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint32_t>(to)];
    if (path == nullptr) {
        path = std::make_unique<Path>(geometry_, from, to, share_memory(from, to), start_);
    }
    return *path;
}

Link* Network::connect(int from, int to) {
    auto link = std::make_unique<Link>();
    link->peer = to;
    link->senders = path(from, to).out.senders(start_);
    link->receivers = path(to, from).in.receivers(start_);
    if (share_memory(from, to)) {
        link->doorbell = &bells_[to];
    } else {
        carriers_.push_back(std::make_unique<Carrier>(this, from, to));
        link->carrier = carriers_.back().get();
        link->by_address = true;
    }
    links_[from].push_back(std::move(link));
    return links_[from].back().get();
}

std::vector<int> Network::remote_peers(int machine) const {
    std::vector<int> peers;
    for (const auto& link : links_[machine]) {
        if (link->carrier != nullptr) peers.push_back(link->peer);
    }
    return peers;
}

void Network::give_back_buffers(int machine) {
    for (const auto& link : links_[machine]) {
        if (link->carrier != nullptr) link->carrier->keep_payloads();
    }
}

// Plans something that is lost if the path is cut, or this life over, by then.
void Network::after(Time delay, Path& path, std::function<void()> action) {
    events_.after(delay, [this, &path, life = life_, action = std::move(action)] {
        if (life == life_ && !path.cut) action();
    });
}

// ---- On one host ----------------------------------------------------------------------------

void Network::after_turn(int machine) {
    for (const auto& link : links_[machine]) {
        if (link->carrier != nullptr) continue;
        Path& there = path(machine, link->peer);
        Path& back = path(link->peer, machine);
        const bool rung = asleep_[link->peer] && !BellWord::is_armed(link->doorbell->word);
        for (int lane = 0; lane < geometry_.lane_count(); ++lane) {
            store(there, lane, link->senders[lane].published());
            store_credit(back, lane, link->receivers[lane].consumed());
        }
        if (!rung) continue;
        // Whoever rings goes through the kernel, which makes the stores before it visible.
        see_all(there);
        for (int lane = 0; lane < geometry_.lane_count(); ++lane) {
            see_credit(back, lane, back.lanes[lane].released);
        }
        wake(link->peer);
    }
}

void Network::store(Path& path, int lane, std::uint32_t published) {
    Path::LaneState& state = path.lanes[lane];
    const MailboxView view = path.out.view(lane);
    while (is_after(published, state.announced)) {
        const std::uint32_t sequence = ++state.announced;
        const SlotHeader* header = view.header(sequence);
        const std::byte* payload = payload_of(view, sequence);
        const std::uint64_t flag = header->flag.load(std::memory_order_relaxed);
        if (static_cast<std::uint32_t>(flag >> 32) != sequence) {
            return complain(fmt::format("machine {} overwrote message {} to machine {} on lane {}",
                                        path.from, sequence, path.to, lane));
        }
        state.unseen.push_back(
            {sequence, static_cast<std::uint32_t>(flag), {payload, payload + header->byte_count}});
        after(delay_of(path, &state.last_arrival), path,
              [this, &path, lane, sequence] { see(path, lane, sequence); });
    }
}

void Network::store_credit(Path& path, int lane, std::uint32_t consumed) {
    Path::LaneState& state = path.lanes[lane];
    if (!is_after(consumed, state.released)) return;
    while (is_after(consumed, state.released)) poison(path, lane, ++state.released);
    after(delay_of(path, &state.last_credit), path,
          [this, &path, lane, consumed] { see_credit(path, lane, consumed); });
}

// All stores to a lane up to that of message `sequence`.
void Network::see(Path& path, int lane, std::uint32_t sequence) {
    auto& unseen = path.lanes[lane].unseen;
    while (!unseen.empty() && !is_after(unseen.front().sequence, sequence)) {
        const Path::Message message = std::move(unseen.front());
        unseen.pop_front();
        deliver(path, lane, message.sequence, message.signature, message.payload);
    }
}

void Network::see_all(Path& path) {
    for (int lane = 0; lane < geometry_.lane_count(); ++lane) {
        see(path, lane, path.lanes[lane].announced);
    }
}

void Network::fall_asleep(int machine) {
    asleep_[machine] = true;
    arm(bells_[machine]);
    for (const auto& link : links_[machine]) {
        if (link->carrier != nullptr) continue;
        see_all(path(link->peer, machine));
        Path& there = path(machine, link->peer);
        for (int lane = 0; lane < geometry_.lane_count(); ++lane) {
            see_credit(there, lane, there.lanes[lane].released);
        }
    }
}

void Network::wake_up(int machine) {
    disarm(bells_[machine]);
    asleep_[machine] = false;
}

// ---- Between hosts --------------------------------------------------------------------------

// One message leaves the sender's mailbox. Its slot is not free before credit comes back, so it
// must still be there.
void Network::take(Path& path, int lane) {
    if (path.sender_dead) return;
    Path::LaneState& state = path.lanes[lane];
    const MailboxView view = path.out.view(lane);
    const std::uint32_t sequence = ++state.taken;
    const SlotHeader* header = view.header(sequence);
    const std::uint64_t flag = header->flag.load(std::memory_order_relaxed);
    if (static_cast<std::uint32_t>(flag >> 32) != sequence) {
        return complain(fmt::format("machine {} overwrote message {} to machine {} on lane {}",
                                    path.from, sequence, path.to, lane));
    }
    observe({"take", path.from, path.to, lane, sequence});
    const std::byte* payload = payload_of(view, sequence);
    if (static_cast<MessageKind>(header->kind) == MessageKind::kReference) {
        std::memcpy(&payload, payload, sizeof payload);
        ++references_taken_;
    }
    std::vector<std::byte> copy(payload, payload + header->byte_count);
    after(delay_of(path, &state.last_arrival), path,
          [this, &path, lane, sequence, signature = static_cast<std::uint32_t>(flag),
           copy = std::move(copy)] {
              if (path.sender_dead && random_.chance(0.5)) path.cut = true;  // and all after it
              if (!path.cut) deliver(path, lane, sequence, signature, copy);
              wake(path.to);
          });
    wake(path.from);
}

// The receiver has released a message: its slot is anybody's from now on.
void Network::return_credit(Path& path, int lane) {
    const std::uint32_t consumed = ++path.lanes[lane].released;
    poison(path, lane, consumed);
    after(delay_of(path, &path.lanes[lane].last_credit), path, [this, &path, lane, consumed] {
        see_credit(path, lane, consumed);
        wake(path.from);
    });
}

// ---- Both -----------------------------------------------------------------------------------

void Network::deliver(Path& path, int lane, std::uint32_t sequence, std::uint32_t signature,
                      const std::vector<std::byte>& payload) {
    const MailboxView view = path.in.view(lane);
    if (sequence - view.consumed->load(std::memory_order_relaxed) > view.slot_count) {
        return complain(
            fmt::format("machine {} sent message {} on lane {} without a free slot at "
                        "machine {}",
                        path.from, sequence, lane, path.to));
    }
    observe({"deliver", path.from, path.to, lane, sequence});
    const auto byte_count = static_cast<std::uint32_t>(payload.size());
    const PostedReceive posted = path.lanes[lane].posted;
    const bool is_placed = posted.address != nullptr && posted.sequence == sequence &&
                           posted.signature == signature && posted.byte_count == byte_count;
    if (posted.sequence == sequence) path.lanes[lane].posted = {};
    if (is_placed) {
        std::memcpy(payload_of(view, sequence), &posted.address, sizeof posted.address);
        ++messages_placed_;
    }
    std::byte* const place = is_placed ? posted.address : payload_of(view, sequence);
    if (!payload.empty()) std::memcpy(place, payload.data(), payload.size());
    view.publish(sequence, byte_count, signature,
                 is_placed ? MessageKind::kPlaced : MessageKind::kPayload);
    ++messages_delivered_;
}

void Network::see_credit(Path& path, int lane, std::uint32_t consumed) {
    std::atomic<std::uint32_t>& seen = *path.out.view(lane).consumed;
    if (!is_after(consumed, seen.load(std::memory_order_relaxed))) return;
    observe({"credit", path.to, path.from, lane, consumed});
    seen.store(consumed, std::memory_order_relaxed);
}

void Network::poison(Path& path, int lane, std::uint32_t sequence) {
    const MailboxView view = path.in.view(lane);
    std::memset(payload_of(view, sequence), kPoison, view.payload_bytes());
}

Time Network::delay_of(Path& path, Time* last_arrival) {
    const Time shortest = path.on_one_host ? 0 : conditions_.shortest_delay;
    const Time longest = path.on_one_host ? conditions_.longest_store : conditions_.longest_delay;
    Time delay = random_.between(shortest, longest);
    if (!path.on_one_host && random_.chance(conditions_.stall_chance)) {
        delay += conditions_.stall_time;
    }
    Time arrival = std::max(events_.now() + delay, path.stalled_until);
    if (!conditions_.overtaking) arrival = std::max(arrival, *last_arrival);
    *last_arrival = arrival;
    return arrival - events_.now();
}

// ---- Faults ---------------------------------------------------------------------------------

void Network::cut(int a, int b) {
    path(a, b).cut = path(b, a).cut = true;
}

void Network::kill(int machine) {
    for (auto& [key, path] : paths_) {
        if (path->from == machine && !path->on_one_host) path->sender_dead = true;
    }
}

void Network::stall(int a, int b, Time until) {
    path(a, b).stalled_until = path(b, a).stalled_until = until;
}

void Network::restart() {
    ++life_;
    for (auto& [key, path] : paths_) {
        path->out.restart(start_);
        path->in.restart(start_);
        path->reset();
    }
    for (auto& links : links_) links.clear();
    carriers_.clear();
    for (Doorbell& bell : bells_) bell.word.store(0, std::memory_order_relaxed);
    asleep_.assign(asleep_.size(), false);
}

}  // namespace xccl::simulator
