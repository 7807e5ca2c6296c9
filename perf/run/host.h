// What this host is called, what it computes with, and how much memory it has to give.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace xccl::perf {

// Up to the first dot.
std::string host_name();
// "AMD EPYC 9654", or "CPU" where the system does not tell.
std::string processor_name();

// Bytes that can still be had: what the kernel says is available, or what the memory limits of the
// control groups leave.
std::size_t available_memory();
// This process's bytes in memory.
std::size_t resident_memory();

// The value of "MemAvailable:    123 kB" and its like, in bytes.
std::optional<std::size_t> memory_field(std::string_view text, std::string_view field);

// The largest size for which `ranks` ranks of a host can have two buffers each, and the system
// keeps a reserve: 1 GiB, and one more for each 16 GiB (at most 4); no more than a quarter of it
// all, for small machines.
std::size_t largest_size(std::size_t available_bytes, int ranks, std::size_t extra_bytes);

}  // namespace xccl::perf
