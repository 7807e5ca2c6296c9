#include "transport/doorbell.h"

#include "base/clock.h"
#include "transport/doorbell_socket.h"
#include "transport/futex.h"

namespace xccl {

void ring(Doorbell& bell) {
    if (!BellWord::take_to_ring(bell.word)) return;
    futex_wake_all(&bell.word);
    if (bell.socket_number[0].load(std::memory_order_relaxed) != 0) ring_socket(bell);
}

void arm(Doorbell& bell) {
    BellWord::arm(bell.word);
}

void disarm(Doorbell& bell) {
    BellWord::disarm(bell.word);
}

void wait_for_ring(Doorbell& bell, std::chrono::microseconds limit) {
    const auto end = Clock::now() + limit;
    for (;;) {
        const auto word = bell.word.load(std::memory_order_relaxed);
        const auto left = end - Clock::now();
        if (!(word & Doorbell::kArmed) || left <= Clock::duration::zero()) return;
        futex_wait(&bell.word, word, left);  // returns at once if another sleeper came or left
    }
}

}  // namespace xccl
