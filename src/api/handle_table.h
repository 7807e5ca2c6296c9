// Handles that cannot dangle into a crash.
//
// A handle is not a pointer to an object but to an entry of a table that is never freed: its
// address says which entry, its low bits which generation of it. A null, foreign, destroyed or
// twice destroyed handle is recognised without touching memory that is not ours. Entries count the
// calls inside them, so destroying waits for those that were already in.
//
// Most handles are used by one thread, so each has an owner: the thread that first pinned it for
// work. The owner counts its calls by plain stores, and whoever destroys pays for the barrier that
// makes them visible (transport/barrier.h); other threads count atomically.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "transport/barrier.h"

namespace xccl {

template <typename T>
class HandleTable {
    static constexpr std::uintptr_t kGenerations = 64;  // as many as the alignment has low bits
    static constexpr std::size_t kCapacity = 1 << 16;
    struct alignas(kGenerations) Entry {
        std::atomic<std::uint32_t> generation{0};  // of the living handle
        std::atomic<std::uint32_t> alive{0};
        std::atomic<std::int64_t> users{0};
        std::atomic<std::uintptr_t> owner{0};  // a thread, as this_thread() names it; 0: none yet
        std::atomic<std::int64_t> owner_users{0};  // written by the owner alone
        std::shared_ptr<T> object;
    };

  public:
    // Keeps the object while a call is inside it.
    class Pin {
      public:
        Pin() = default;
        Pin(Entry* entry, bool of_owner) : entry_(entry), of_owner_(of_owner) {}
        Pin(Pin&& other) noexcept
            : entry_(std::exchange(other.entry_, nullptr)), of_owner_(other.of_owner_) {}
        Pin& operator=(Pin&& other) noexcept {
            std::swap(entry_, other.entry_);
            std::swap(of_owner_, other.of_owner_);
            return *this;
        }
        Pin(const Pin&) = delete;
        Pin& operator=(const Pin&) = delete;
        ~Pin() {
            if (entry_) leave(*entry_, of_owner_);
        }
        explicit operator bool() const { return entry_ != nullptr; }
        T* operator->() const { return entry_->object.get(); }
        T& operator*() const { return *entry_->object; }
        const std::shared_ptr<T>& shared() const { return entry_->object; }

      private:
        Entry* entry_ = nullptr;
        bool of_owner_ = false;  // stays on its thread
    };

    // Null if the table is full or its address space cannot be had.
    void* create(std::shared_ptr<T> object) {
        const std::lock_guard lock(mutex_);
        if (entries_.load(std::memory_order_relaxed) == nullptr && !reserve()) return nullptr;
        Entry* const entries = entries_.load(std::memory_order_relaxed);
        std::size_t index = 0;
        if (!free_.empty()) {
            index = free_.back();
            free_.pop_back();
        } else if (used_ < kCapacity) {
            index = used_++;
            new (&entries[index]) Entry;
        } else {
            return nullptr;
        }
        Entry& entry = entries[index];
        entry.object = std::move(object);
        const auto generation = entry.generation.load(std::memory_order_relaxed);
        entry.alive.store(1, std::memory_order_release);
        return reinterpret_cast<std::byte*>(&entry) + generation;
    }

    // For queries; for_work() also makes the first thread that calls it the owner.
    Pin pin(const void* handle) {
        Entry* entry = find(handle);
        return entry ? enter(*entry, handle) : Pin();
    }
    Pin pin_for_work(const void* handle) {
        Entry* entry = find(handle);
        if (entry == nullptr) return Pin();
        if (__builtin_expect(entry->owner.load(std::memory_order_relaxed) == 0, 0)) {
            std::uintptr_t nobody = 0;
            entry->owner.compare_exchange_strong(nobody, this_thread(), std::memory_order_relaxed);
        }
        return enter(*entry, handle);
    }

    // Makes the handle invalid and runs `unblock` so that calls inside it return; waits until they
    // have. Returns the object; null if the handle was invalid already.
    template <typename Unblock>
    std::shared_ptr<T> retire(const void* handle, Unblock unblock) {
        Entry* entry = find(handle);
        if (entry == nullptr || !current(*entry, handle)) return nullptr;
        std::uint32_t one = 1;
        if (!entry->alive.compare_exchange_strong(one, 2, std::memory_order_seq_cst))
            return nullptr;
        // From here on the owner sees that the handle is dead, or is seen to be inside.
        barrier_everywhere(BarrierReach::kProcess);
        unblock(*entry->object);
        // Acquire: pairs with the releases of leave().
        while (entry->users.load(std::memory_order_acquire) != 0 ||
               entry->owner_users.load(std::memory_order_acquire) != 0) {
            std::this_thread::yield();
        }
        std::shared_ptr<T> object = std::move(entry->object);
        entry->owner.store(0, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        const auto next = (entry->generation.load(std::memory_order_relaxed) + 1) % kGenerations;
        entry->generation.store(static_cast<std::uint32_t>(next), std::memory_order_relaxed);
        entry->alive.store(0, std::memory_order_release);
        const Entry* const first = entries_.load(std::memory_order_relaxed);
        free_.insert(free_.begin(), static_cast<std::size_t>(entry - first));  // reused last
        return object;
    }

  private:
    bool reserve() {
        void* memory = mmap(nullptr, kCapacity * sizeof(Entry), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return false;
        entries_.store(static_cast<Entry*>(memory), std::memory_order_release);
        return true;
    }

    static std::uintptr_t this_thread() {
        static thread_local char place;
        return reinterpret_cast<std::uintptr_t>(&place);
    }

    // Where there is no barrier, there are no owners.
    static bool owners_allowed() {
        static const bool allowed = enrol_in_barrier(BarrierReach::kProcess);
        return allowed;
    }

    static Pin enter(Entry& entry, const void* handle) {
        const bool of_owner =
            entry.owner.load(std::memory_order_relaxed) == this_thread() && owners_allowed();
        if (of_owner) {
            const auto inside = entry.owner_users.load(std::memory_order_relaxed);
            entry.owner_users.store(inside + 1, std::memory_order_relaxed);
            // The processor's half of the order is the barrier of retire().
            std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
            entry.users.fetch_add(1, std::memory_order_seq_cst);  // before alive is read
        }
        if (entry.alive.load(std::memory_order_seq_cst) != 1 || !current(entry, handle)) {
            leave(entry, of_owner);
            return Pin();
        }
        return Pin(&entry, of_owner);
    }

    // Pairs with the waiting of retire().
    static void leave(Entry& entry, bool of_owner) {
        if (!of_owner) {
            entry.users.fetch_sub(1, std::memory_order_release);
            return;
        }
        const auto inside = entry.owner_users.load(std::memory_order_relaxed);
        entry.owner_users.store(inside - 1, std::memory_order_release);
    }

    Entry* find(const void* handle) const {
        Entry* const entries = entries_.load(std::memory_order_acquire);
        const auto base = reinterpret_cast<std::uintptr_t>(entries);
        const auto address = reinterpret_cast<std::uintptr_t>(handle);
        if (base == 0 || address < base || address >= base + kCapacity * sizeof(Entry))
            return nullptr;
        return entries + (address - base) / sizeof(Entry);
    }

    static bool current(const Entry& entry, const void* handle) {
        const auto low = reinterpret_cast<std::uintptr_t>(handle) % kGenerations;
        return low == entry.generation.load(std::memory_order_relaxed);
    }

    std::mutex mutex_;
    std::atomic<Entry*> entries_{nullptr};
    std::size_t used_ = 0;
    std::vector<std::size_t> free_;
};

}  // namespace xccl
