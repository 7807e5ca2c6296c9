// What each thread keeps for itself, in memory of its own: there is little room for thread-locals
// in a library that is opened late.
#pragma once

namespace xccl {

// `Owner` tells apart what is kept. It is freed with the thread; who calls even later, from a
// destructor of the thread or of the program, begins anew.
template <typename T, typename Owner>
T& kept_by_thread() {
    static thread_local constinit T* kept = nullptr;
    if (__builtin_expect(kept == nullptr, 0)) {
        struct Freer {
            Freer() = default;
            Freer(const Freer&) = delete;
            Freer& operator=(const Freer&) = delete;
            Freer(Freer&&) = delete;
            Freer& operator=(Freer&&) = delete;
            ~Freer() {
                delete kept;
                kept = nullptr;
            }
        };
        static thread_local Freer freer;
        kept = new T();
    }
    return *kept;
}

}  // namespace xccl
