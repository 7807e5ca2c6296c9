#include "simulator/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace xccl::simulator {
namespace {

constexpr int kPoison = 0xee;  // what a released slot is overwritten with

}  // namespace

// One direction between two machines.
struct Network::Path {
    struct LaneState {
        std::uint32_t taken = 0;      // messages that have left the sender's mailbox
        std::uint32_t announced = 0;  // messages for which take() is planned
        Time last_arrival = 0;        // of a message
        Time last_credit = 0;
    };
    Path(const LaneGeometry& geometry, int f, int t, bool shared)
        : from(f), to(t), out(std::make_shared<testing::MailboxMemory>(geometry)),
          in(shared ? out : std::make_shared<testing::MailboxMemory>(geometry)),
          lanes(geometry.lane_count()) {}

    const int from;
    const int to;
    std::shared_ptr<testing::MailboxMemory> out;  // where the sender writes
    std::shared_ptr<testing::MailboxMemory> in;   // where the receiver reads; may be the same
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
    void released(int, int lane) override { network_.return_credit(network_.path(to_, from_), lane); }
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
                 NetworkConditions conditions)
    : events_(*events),
      random_(*random),
      geometry_(geometry),
      host_of_(std::move(host_of)),
      conditions_(conditions),
      bells_(host_of_.size()) {}

Network::~Network() = default;

Network::Path& Network::path(int from, int to) {
    auto& path = paths_[static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint32_t>(to)];
    if (path == nullptr) {
        path = std::make_unique<Path>(geometry_, from, to, share_memory(from, to));
    }
    return *path;
}

std::unique_ptr<Link> Network::connect(int from, int to, int peer) {
    auto link = std::make_unique<Link>();
    link->peer = peer;
    link->senders = path(from, to).out->senders();
    link->receivers = path(to, from).in->receivers();
    if (share_memory(from, to)) {
        link->doorbell = &bells_[to];
    } else {
        carriers_.push_back(std::make_unique<Carrier>(this, from, to));
        link->carrier = carriers_.back().get();
    }
    return link;
}

// Plans something that is lost if the path is cut, or this life over, by then.
void Network::after(Time delay, Path& path, std::function<void()> action) {
    events_.after(delay, [this, &path, life = life_, action = std::move(action)] {
        if (life == life_ && !path.cut) action();
    });
}

// One message leaves the sender's mailbox. Its slot is not free before credit comes back, so it must
// still be there.
void Network::take(Path& path, int lane) {
    Path::LaneState& state = path.lanes[lane];
    const MailboxView view = path.out->view(lane);
    const std::uint32_t sequence = ++state.taken;
    const SlotHeader* header = view.header(sequence);
    const std::uint64_t flag = header->flag.load(std::memory_order_relaxed);
    if (static_cast<std::uint32_t>(flag >> 32) != sequence) {
        return complain(fmt::format("machine {} overwrote message {} to machine {} on lane {}",
                                    path.from, sequence, path.to, lane));
    }
    const auto* payload = reinterpret_cast<const std::byte*>(header + 1);
    std::vector<std::byte> copy(payload, payload + header->byte_count);
    after(delay_of(path, lane, &state.last_arrival), path,
          [this, &path, lane, sequence, signature = static_cast<std::uint32_t>(flag),
           copy = std::move(copy)] { deliver(path, lane, sequence, signature, copy); });
    wake(path.from);
}

void Network::deliver(Path& path, int lane, std::uint32_t sequence, std::uint32_t signature,
                      const std::vector<std::byte>& payload) {
    if (path.sender_dead && random_.chance(0.5)) path.cut = true;  // and all after it
    if (path.cut) return;
    const MailboxView view = path.in->view(lane);
    if (sequence - view.consumed->load(std::memory_order_relaxed) > view.slot_count) {
        return complain(fmt::format("machine {} sent message {} on lane {} without a free slot at "
                                    "machine {}",
                                    path.from, sequence, lane, path.to));
    }
    if (!payload.empty()) std::memcpy(view.header(sequence) + 1, payload.data(), payload.size());
    view.publish(sequence, static_cast<std::uint32_t>(payload.size()), signature);
    ++messages_delivered_;
    wake(path.to);
}

// The receiver has released a message: its slot is anybody's from now on.
void Network::return_credit(Path& path, int lane) {
    const MailboxView view = path.in->view(lane);
    const std::uint32_t consumed = view.consumed->load(std::memory_order_relaxed);
    std::memset(view.header(consumed) + 1, kPoison, view.payload_bytes());
    after(delay_of(path, lane, &path.lanes[lane].last_credit), path, [this, &path, lane, consumed] {
        std::atomic<std::uint32_t>& seen = *path.out->view(lane).consumed;
        const std::uint32_t before = seen.load(std::memory_order_relaxed);
        if (static_cast<std::int32_t>(consumed - before) > 0) {
            seen.store(consumed, std::memory_order_relaxed);
        }
        wake(path.from);
    });
}

Time Network::delay_of(Path& path, int, Time* last_arrival) {
    Time delay = random_.between(conditions_.shortest_delay, conditions_.longest_delay);
    if (random_.chance(conditions_.stall_chance)) delay += conditions_.stall_time;
    Time arrival = std::max(events_.now() + delay, path.stalled_until);
    if (!conditions_.overtaking) arrival = std::max(arrival, *last_arrival);
    *last_arrival = arrival;
    return arrival - events_.now();
}

void Network::cut(int a, int b) {
    path(a, b).cut = path(b, a).cut = true;
}

void Network::kill(int machine) {
    for (auto& [key, path] : paths_) {
        if (path->from == machine) path->sender_dead = true;
    }
}

void Network::stall(int a, int b, Time until) {
    path(a, b).stalled_until = path(b, a).stalled_until = until;
}

void Network::restart() {
    ++life_;
    for (auto& [key, path] : paths_) {
        path->out->restart();
        path->in->restart();
        for (auto& lane : path->lanes) lane = {};
        path->cut = path->sender_dead = false;
        path->stalled_until = 0;
    }
}

}  // namespace xccl::simulator
