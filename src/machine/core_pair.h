// Two CPUs to measure between, out of those that this process may use.
#pragma once

namespace xccl {

struct CorePair {
    int first = -1;         // -1: not known
    int second = -1;        // -1: there is no other
    bool siblings = false;  // threads of one core
};

int allowed_cpu_count();
// Two cores of one package where there are such, since most ranks have their neighbours there; else
// whatever two CPUs there are.
CorePair choose_core_pair();
// Does nothing where the kernel refuses, or `cpu` is negative.
void pin_this_thread(int cpu);

}  // namespace xccl
