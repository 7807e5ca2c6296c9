#include "comm/process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/quiet_thread.h"
#include "comm/communicator.h"
#include "comm/host_stream.h"
#include "comm/work.h"

namespace xccl {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// How long the worker leaves progress to waiters that were active a moment ago.
constexpr milliseconds kWorkerPatience{1};

struct Roll {
    std::vector<std::weak_ptr<Communicator>> comms;
    std::vector<std::weak_ptr<HostStream>> streams;
};

struct Process {
    std::mutex mutex;
    std::shared_ptr<const Roll> roll = std::make_shared<Roll>();
    std::atomic<std::uint64_t> version{0};  // of the roll; read without the mutex
    bool worker_started = false;
    std::atomic<int> busy_streams{0};
    std::atomic<int> waiter_count{0};          // threads in wait_until(): they advance everything
    std::atomic<std::int64_t> last_polled{0};  // nanoseconds of Clock; by anyone but the worker
};

// Leaked on purpose: the worker may run until the very end of the process.
Process& process() {
    static Process* const instance = new Process;
    return *instance;
}

// The roll as of now. Each thread keeps the last one it saw, so that polling takes no lock.
const Roll& roll() {
    thread_local std::shared_ptr<const Roll> seen;
    thread_local std::uint64_t version = ~std::uint64_t{0};
    const std::uint64_t current = process().version.load(std::memory_order_acquire);
    if (current != version) {
        const std::lock_guard lock(process().mutex);
        seen = process().roll;
        version = process().version.load(std::memory_order_relaxed);
    }
    return *seen;
}

// Adds an entry and drops those whose objects are gone.
template <typename T>
void enter(std::vector<std::weak_ptr<T>> Roll::*list, const std::shared_ptr<T>& object) {
    auto next = std::make_shared<Roll>(*process().roll);
    std::erase_if((*next).*list, [](const std::weak_ptr<T>& entry) { return entry.expired(); });
    ((*next).*list).push_back(object);
    process().roll = std::move(next);
    process().version.fetch_add(1, std::memory_order_release);
}

std::int64_t now_ns() {
    return Clock::now().time_since_epoch().count();
}

bool advance_everything() {
    bool moved = false;
    const Roll& all = roll();
    for (const auto& entry : all.streams) {
        if (const auto stream = entry.lock()) stream->advance();
    }
    for (const auto& entry : all.comms) {
        if (const auto comm = entry.lock()) moved |= comm->advance();
    }
    for (const auto& entry : all.streams) {
        if (const auto stream = entry.lock()) stream->advance();
    }
    return moved;
}

// Do others see to progress, or did a moment ago?
bool others_advance() {
    if (process().waiter_count.load(std::memory_order_relaxed) > 0) return true;
    const std::int64_t idle = now_ns() - process().last_polled.load(std::memory_order_relaxed);
    return idle <= std::chrono::nanoseconds(kWorkerPatience).count();
}

// Sleeps while all streams are empty, and leaves progress to others who wait or poll.
void worker_loop() {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
    pthread_setname_np(pthread_self(), "xccl-streams");
    while (true) {
        process().busy_streams.wait(0, std::memory_order_acquire);
        if (others_advance()) {
            std::this_thread::sleep_for(kWorkerPatience);
            continue;
        }
        if (advance_everything()) continue;
        std::shared_ptr<Communicator> focus;
        for (const auto& entry : roll().streams) {
            const auto stream = entry.lock();
            if (const auto work = stream ? stream->head() : nullptr) focus = work->comm;
        }
        if (focus) {
            focus->watch();
            focus->sleep(kLongSleep);
        } else {
            std::this_thread::sleep_for(kShortSleep);  // a stream waits for an event
        }
    }
}

// While it lives, its thread counts as a waiter.
class Waiting {
  public:
    Waiting() { process().waiter_count.fetch_add(1, std::memory_order_relaxed); }
    ~Waiting() { process().waiter_count.fetch_sub(1, std::memory_order_relaxed); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    Waiting(Waiting&&) = delete;
    Waiting& operator=(Waiting&&) = delete;
};

}  // namespace

const std::atomic<int>* make_fork_canary() {
    static const std::atomic<int>* const word = []() -> const std::atomic<int>* {
        void* page =
            mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) return nullptr;
        if (madvise(page, 4096, MADV_WIPEONFORK) != 0) return nullptr;
        auto* canary = static_cast<std::atomic<int>*>(page);
        canary->store(1, std::memory_order_relaxed);
        fork_canary.store(canary, std::memory_order_release);
        return canary;
    }();
    return word;
}

void enlist(const std::shared_ptr<Communicator>& comm) {
    make_fork_canary();
    const std::lock_guard lock(process().mutex);
    enter(&Roll::comms, comm);
}

void enlist(const std::shared_ptr<HostStream>& stream) {
    const std::lock_guard lock(process().mutex);
    enter(&Roll::streams, stream);
    if (!process().worker_started) {
        process().worker_started = true;
        quiet_thread(worker_loop).detach();
    }
}

void stream_is_busy() {
    if (process().busy_streams.fetch_add(1, std::memory_order_release) == 0) {
        process().busy_streams.notify_one();  // pairs with the wait of worker_loop()
    }
}

void stream_is_idle() {
    process().busy_streams.fetch_sub(1, std::memory_order_relaxed);
}

bool advance_all() {
    process().last_polled.store(now_ns(), std::memory_order_relaxed);
    return advance_everything();
}

bool others_busy(const Communicator* self) {
    if (process().busy_streams.load(std::memory_order_relaxed) > 1) return true;
    for (const auto& entry : roll().comms) {
        const auto comm = entry.lock();
        if (comm && comm.get() != self && comm->busy()) return true;
    }
    return false;
}

void watch_others(const Communicator* self) {
    thread_local bool watching = false;  // what they find leads here again
    if (watching) return;
    watching = true;
    for (const auto& entry : roll().comms) {
        const auto comm = entry.lock();
        if (comm && comm.get() != self) comm->watch();
    }
    watching = false;
}

std::string missed_call_elsewhere(const Communicator* self, const RankInfo& place) {
    for (const auto& entry : roll().comms) {
        const auto comm = entry.lock();
        if (!comm || comm.get() == self) continue;
        std::string missed = comm->missed_call(place);
        if (!missed.empty()) return missed;
    }
    return {};
}

void wait_until(const std::function<bool()>& done,
                const std::function<std::shared_ptr<Communicator>()>& focus) {
    const Waiting waiting;
    for (int turn = 0; !done(); ++turn) {
        if (advance_all() || turn < 64) {
            relax();
            continue;
        }
        if (turn < 96) {
            std::this_thread::yield();
            continue;
        }
        const auto comm = focus();
        if (!comm) {
            std::this_thread::sleep_for(kShortSleep);
            continue;
        }
        comm->watch();
        comm->sleep(others_busy(comm.get()) ? kShortSleep : kLongSleep);
    }
}

}  // namespace xccl
