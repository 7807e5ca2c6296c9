// What this process runs on, in words and numbers.
#pragma once

#include <cstddef>
#include <string>

namespace xccl::trainer {

// CPUs that this process may use; at least 1.
std::size_t usable_cpus();

// "host, AMD EPYC 9354, 2 CPUs".
std::string machine_text();

// "2026-03-01 17:20", local time.
std::string date_text();

}  // namespace xccl::trainer
