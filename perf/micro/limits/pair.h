// Two processes that measure something between them: this one, and one that it forks for it.
#pragma once

#include <sys/mman.h>

#include <functional>
#include <new>

#include "limits/cores.h"

namespace xccl::limits {

// A value in memory that both processes see; each measurement has its own.
template <class Value>
class Shared {
  public:
    Shared() {
        void* memory = mmap(nullptr, sizeof(Value), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED) give_up("no shared memory");
        value_ = new (memory) Value();
    }
    ~Shared() { munmap(value_, sizeof(Value)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    Shared(Shared&&) = delete;
    Shared& operator=(Shared&&) = delete;
    Value* operator->() { return value_; }
    Value& operator*() { return *value_; }

  private:
    Value* value_ = nullptr;
};

struct Places {
    int mine = 0;
    int other = 1;
};

// Runs `mine` here on one core, and `other` in a new process on another or the same; returns when
// both have ended. The new process dies with this one. Afterwards this one is on the first core.
void run_pair(Places places, const std::function<void()>& mine, const std::function<void()>& other);

}  // namespace xccl::limits
