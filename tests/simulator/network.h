// The simulated machines' memory and wires. A machine is one rank's process.
//
// Each end of a link has mailboxes of its own; what one end writes, the other sees as much later as
// chance wants.
//
//     on one host       stores: a message, or credit, becomes visible in the peer's memory after a
//                       while, and that of other lanes and pairs earlier or later. The barrier of
//                       a machine that goes to sleep, and the ring of its doorbell, make visible
//                       what is under way to it.
//     between hosts     a carrier, as unkind as one may be:
//
//     sender's mailbox --take--> (wire) --deliver--> receiver's mailbox
//                 <--- (wire) <-- credit ----
//
// A message leaves its slot late, messages of different lanes and pairs overtake each other, credit
// comes late or for many messages at once, and a slot that was released is overwritten on the spot.
// The network complains if a message has no free slot to go to.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "executor/mailbox_memory.h"
#include "simulator/events.h"
#include "simulator/random.h"
#include "transport/doorbell.h"
#include "transport/link.h"

namespace xccl::simulator {

struct NetworkConditions {
    Time shortest_delay = 500;
    Time longest_delay = 20'000;
    Time longest_store = 300;  // until a peer on the same host sees it
    bool overtaking = false;   // also within a lane
    double stall_chance = 0;   // of a message, to be held up for stall_time
    Time stall_time = 5'000'000;
};

class Network {
  public:
    // Sequence numbers begin after `start`.
    Network(Events* events, Random* random, LaneGeometry geometry, std::vector<int> host_of,
            NetworkConditions conditions, std::uint32_t start);
    ~Network();

    // The link of machine `from` to machine `to`. It stays the network's.
    Link* connect(int from, int to);

    // Something may have come for a machine; something is wrong; something happened.
    std::function<void(int machine)> wake;
    std::function<void(const std::string&)> complain;
    struct Happening {
        const char* what;
        int from;
        int to;
        int lane;
        std::uint32_t sequence;
    };
    std::function<void(const Happening&)> observe;

    bool share_memory(int a, int b) const { return host_of_[a] == host_of_[b]; }

    // `machine` has run: its stores are on their way, and the bells that it rang are heard.
    void after_turn(int machine);
    // Between the two, `machine` looks again, and then sleeps on its doorbell:
    // transport/doorbell.h. Its barrier makes visible what is under way to it.
    void fall_asleep(int machine);
    void wake_up(int machine);

    // Loses all that is and will be on the wire between two machines.
    void cut(int a, int b);
    // Loses, of what is on its way over wires from `machine`, some. Its stores are in memory.
    void kill(int machine);
    // Everything that moves between the two stands still until `until`.
    void stall(int a, int b, Time until);
    // The machines of other hosts that `machine` has a link to.
    std::vector<int> remote_peers(int machine) const;

    // Of `machine`, whose operations have failed: nothing is placed in them any more.
    void give_back_buffers(int machine);

    // A new life: empty mailboxes over what the old ones left in memory; nothing is on its way.
    void restart();

    std::uint64_t messages_delivered() const { return messages_delivered_; }
    std::uint64_t references_taken() const { return references_taken_; }
    std::uint64_t messages_placed() const { return messages_placed_; }

  private:
    struct Path;
    class Carrier;

    Path& path(int from, int to);
    void store(Path& path, int lane, std::uint32_t published);
    void store_credit(Path& path, int lane, std::uint32_t consumed);
    void see(Path& path, int lane, std::uint32_t sequence);
    void see_all(Path& path);
    void see_credit(Path& path, int lane, std::uint32_t consumed);
    void take(Path& path, int lane);
    void deliver(Path& path, int lane, std::uint32_t sequence, std::uint32_t signature,
                 const std::vector<std::byte>& payload);
    void return_credit(Path& path, int lane);
    void poison(Path& path, int lane, std::uint32_t sequence);
    Time delay_of(Path& path, Time* last_arrival);
    void after(Time delay, Path& path, std::function<void()> action);

    Events& events_;
    Random& random_;
    const LaneGeometry geometry_;
    const std::vector<int> host_of_;
    const NetworkConditions conditions_;
    const std::uint32_t start_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Path>> paths_;
    std::vector<std::vector<std::unique_ptr<Link>>> links_;  // by machine
    std::vector<std::unique_ptr<Carrier>> carriers_;
    std::vector<Doorbell> bells_;
    std::vector<bool> asleep_;
    std::uint32_t life_ = 0;
    std::uint64_t messages_delivered_ = 0;
    std::uint64_t references_taken_ = 0;
    std::uint64_t messages_placed_ = 0;
};

}  // namespace xccl::simulator
