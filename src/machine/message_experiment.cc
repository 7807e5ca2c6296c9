// Two threads, each on a core of its own, copy a message into a tray, raise a flag, and copy the
// answer out of the same tray, whose lines they take, as mailboxes do. Half a round trip is
//
//     latency + 2 bytes slot
//
// since a core reads and writes its buffer while the lines of the tray are on their way
// (cost_model.cc counts likewise). So two lengths give both.
#include "machine/message_experiment.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <thread>

#include "base/quiet_thread.h"
#include "device/kernels.h"
#include "device/taken.h"
#include "machine/core_pair.h"

namespace xccl {
namespace {

constexpr std::size_t kShortMessage = 1024;
constexpr std::size_t kLongMessage = 16384;
constexpr int kBatches = 24;  // of each length, in turn
constexpr int kTrips = 20;    // in a batch: a quarter of a millisecond at most
constexpr int kSpinsPerLook = 256;

struct Flag {
    alignas(64) std::atomic<int> value{0};
};

struct Court {
    std::array<Flag, 2> flags;  // to each side
    alignas(4096) std::array<std::byte, kLongMessage> tray{};
};

// One side of the game.
class Player {
  public:
    Player(Court* court, int side, const Stopwatch& stopwatch)
        : tray_(court->tray.data()),
          in_(court->flags[static_cast<std::size_t>(side)]),
          out_(court->flags[static_cast<std::size_t>(1 - side)]),
          stopwatch_(stopwatch) {}

    void send(std::size_t bytes) {
        copy_bytes(tray_, buffer_.data(), bytes);
        out_.value.store(++sent_, std::memory_order_release);  // pairs with receive()
    }
    // False if the time is up.
    bool receive(std::size_t bytes) {
        ++received_;
        for (int spins = 1; in_.value.load(std::memory_order_acquire) != received_; ++spins) {
            if (spins % kSpinsPerLook == 0 && stopwatch_.over()) return false;
            relax();
        }
        copy_bytes_taken(buffer_.data(), tray_, bytes);
        return true;
    }

  private:
    std::byte* const tray_;
    Flag& in_;
    Flag& out_;
    const Stopwatch& stopwatch_;
    int sent_ = 0;
    int received_ = 0;
    alignas(64) std::array<std::byte, kLongMessage> buffer_{};
};

constexpr std::array<std::size_t, 2> kLengths = {kShortMessage, kLongMessage};

void answer(Player& player) {
    for (int batch = 0; batch < kBatches; ++batch) {
        for (const std::size_t bytes : kLengths) {
            for (int trip = 0; trip < kTrips; ++trip) {
                if (!player.receive(bytes)) return;
                player.send(bytes);
            }
        }
    }
}

// The least half round trip of each length; none if the time was up before the last batch.
bool ask(Player& player, const Stopwatch& stopwatch, std::array<double, 2>* one_way_us) {
    one_way_us->fill(std::numeric_limits<double>::max());
    for (int batch = 0; batch < kBatches; ++batch) {
        for (std::size_t length = 0; length < kLengths.size(); ++length) {
            const double start = stopwatch.elapsed_us();
            for (int trip = 0; trip < kTrips; ++trip) {
                player.send(kLengths[length]);
                if (!player.receive(kLengths[length])) return false;
            }
            const double us = (stopwatch.elapsed_us() - start) / (2 * kTrips);
            (*one_way_us)[length] = std::min((*one_way_us)[length], us);
        }
    }
    return true;
}

}  // namespace

void measure_messages(const Stopwatch& stopwatch, MeasuredCosts* costs) {
    const CorePair cores = choose_core_pair();
    if (cores.second < 0) return;
    const auto court = std::make_unique<Court>();
    std::array<double, 2> one_way_us{};
    bool complete = false;
    std::thread asker, answerer;
    const auto play = [&](int side) {
        pin_this_thread(side == 0 ? cores.first : cores.second);
        Player player(court.get(), side, stopwatch);
        if (side == 0) {
            complete = ask(player, stopwatch, &one_way_us);
        } else {
            answer(player);
        }
    };
    answerer = quiet_thread([&] { play(1); });
    try {
        asker = quiet_thread([&] { play(0); });
    } catch (...) {
        answerer.join();  // when the time is up
        throw;
    }
    asker.join();
    answerer.join();
    if (!complete) return;
    const double slope = (one_way_us[1] - one_way_us[0]) / (kLongMessage - kShortMessage);
    costs->slot_us_per_byte = slope / 2;
    costs->latency_us = one_way_us[0] - slope * kShortMessage;
}

}  // namespace xccl
