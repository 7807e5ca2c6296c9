// What moving bytes costs on host memory: the numbers behind every choice of the planner.
//
// They serve where a machine's own are not known (src/machine). All ranks read the same numbers, so
// they choose alike. They need not be exact: they have to put the candidates in the right order,
// and the crossings about where they are.
#pragma once

#include "plan/cost_model.h"

namespace xccl::tuning {

// Units: microseconds, and microseconds per byte.
// Origin: two processes on a machine with 2 cores of an AMD EPYC (family 25, model 17, 32 MiB L3),
// 2026-11-24. The cache, what is spilled, and a TCP message: by all-reduces of 64 KiB to 64 MiB
// with each algorithm, 2 to 8 ranks, slots of 64 to 512 KiB, on such a machine whose cores are
// threads of one; 2026-11-28. What is spilled of large slots: all-reduces of 1 and 16 MiB in two
// phases, 4 to 16 ranks on 2 cores of an Intel Xeon, pieces of 4 to 64 KiB: ranks work longest with
// the shortest ones, and as long with 16 KiB as with 64; 2026-11-29. The loopback's latency: the
// largest with which all-reduces of 8 B to 16 KiB of 4 ranks take the algorithm that is fastest, on
// 2 cores of an Intel Xeon, 2026-11-29. It has no wire, since the bytes of a message are read while
// it is still being written, and they cross no mailbox: its byte is as measured for TCP, and the
// rest is what 256 KiB to 16 MiB of 2 and 4 ranks were fastest with there: wires of 1e-4 and 4e-4,
// and 7e-5 spilled, were tried, too. Of its bytes' work who sends has 0.59: 256 KiB take
// send() 18.3 us and recv() 12.7, one after the other on one core; 2026-11-29.
constexpr HostCosts kHost = {
    .step_us = 0.02,
    .buffer_us_per_byte = 2.0e-5,
    .combine_us_per_byte = 2.0e-5,
    .switch_us = 2.0,
    .cache_bytes = 1 << 20,
    .flagged = {.latency_us = 0.05,
                .message_us = 0.02,
                .us_per_byte = 8.0e-5,
                .spilled_us_per_byte = 5.0e-5,
                .wire_us_per_byte = 0},
    .slotted = {.latency_us = 0.08,
                .message_us = 0.04,
                .us_per_byte = 3.2e-5,
                .spilled_us_per_byte = 1.0e-5,
                .wire_us_per_byte = 0},
    .tcp = {.latency_us = 12.0,
            .message_us = 10.0,
            .us_per_byte = 2.0e-4,
            .spilled_us_per_byte = 7.0e-5,
            .wire_us_per_byte = 4.0e-4},
    .loopback = {.latency_us = 6.0,
                 .message_us = 10.0,
                 .us_per_byte = 1.64e-4,
                 .spilled_us_per_byte = 0,
                 .wire_us_per_byte = 0,
                 .sent_us_per_byte = 0.72e-4},
};

}  // namespace xccl::tuning
