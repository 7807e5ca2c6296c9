// The simulated machines' memory and wires.
//
// Machines of one host share memory: a link is two sets of mailboxes and the peer's doorbell.
// Between hosts each end has mailboxes of its own, and this carrier moves messages and credit, each
// on its way for as long as chance wants:
//
//     sender's mailbox --take--> (wire) --deliver--> receiver's mailbox
//                 <--- (wire) <-- credit ----
//
// It is as unkind as a carrier may be: a message leaves its slot late, messages of different lanes
// and pairs overtake each other, credit comes late or for many messages at once, and a slot that was
// released is overwritten on the spot. It complains if a message has no free slot to go to.
#pragma once

#include <map>
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
    bool overtaking = false;       // also within a lane
    double stall_chance = 0;       // of a message, to be held up for stall_time
    Time stall_time = 5'000'000;
};

class Network {
  public:
    Network(Events* events, Random* random, LaneGeometry geometry, std::vector<int> host_of,
            NetworkConditions conditions);
    ~Network();

    // The link of machine `from` to machine `to`, whose peer is called `peer`. Its carrier, if any,
    // calls a machine's wake function when something has come.
    std::unique_ptr<Link> connect(int from, int to, int peer);
    std::function<void(int machine)> wake;
    std::function<void(const std::string&)> complain;

    bool share_memory(int a, int b) const { return host_of_[a] == host_of_[b]; }
    Doorbell& bell(int machine) { return bells_[machine]; }

    // Loses all that is and will be on the wire between two machines.
    void cut(int a, int b);
    // Loses, of what is on its way from `machine`, some.
    void kill(int machine);
    // Everything that moves between the two stands still until `until`.
    void stall(int a, int b, Time until);

    // A new life: empty mailboxes over what the old ones left in memory; nothing is on its way.
    void restart();

    std::uint64_t messages_delivered() const { return messages_delivered_; }

  private:
    struct Path;
    class Carrier;

    Path& path(int from, int to);
    void take(Path& path, int lane);
    void deliver(Path& path, int lane, std::uint32_t sequence, std::uint32_t signature,
                 const std::vector<std::byte>& payload);
    void return_credit(Path& path, int lane);
    Time delay_of(Path& path, int lane, Time* last_arrival);
    void after(Time delay, Path& path, std::function<void()> action);

    Events& events_;
    Random& random_;
    const LaneGeometry geometry_;
    const std::vector<int> host_of_;
    const NetworkConditions conditions_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Path>> paths_;
    std::vector<std::unique_ptr<Carrier>> carriers_;
    std::vector<Doorbell> bells_;
    std::uint32_t life_ = 0;
    std::uint64_t messages_delivered_ = 0;
};

}  // namespace xccl::simulator
