#include "transport/doorbell.h"

#include "base/clock.h"
#include "transport/doorbell_socket.h"
#include "transport/futex.h"

namespace xccl {

void ring(Doorbell& bell) {
    // Whoever disarms it rings it. Acquire pairs with the release of arm(), so that the socket's
    // number is seen.
    const auto before = bell.word.fetch_and(~Doorbell::kArmed, std::memory_order_acquire);
    if (!(before & Doorbell::kArmed)) return;
    futex_wake_all(&bell.word);
    if (bell.socket_number[0].load(std::memory_order_relaxed) != 0) ring_socket(bell);
}

void arm(Doorbell& bell) {
    auto word = bell.word.load(std::memory_order_relaxed);
    // Release pairs with the acquire of ring().
    while (!bell.word.compare_exchange_weak(word, (word + Doorbell::kOneSleeper) | Doorbell::kArmed,
                                            std::memory_order_release, std::memory_order_relaxed)) {
    }
}

// The last sleeper to leave takes the arming with it, so that publishers are not made to ring for
// nobody. It must not while others sleep.
void disarm(Doorbell& bell) {
    auto word = bell.word.load(std::memory_order_relaxed);
    std::uint32_t next = 0;
    do {
        next = word - Doorbell::kOneSleeper;
        if (next == Doorbell::kArmed) next = 0;
    } while (!bell.word.compare_exchange_weak(word, next, std::memory_order_relaxed,
                                              std::memory_order_relaxed));
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
