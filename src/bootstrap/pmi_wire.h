// The messages between a process and a launcher that speaks PMI, version 1 (MPICH's Hydra) or 2
// (srun --mpi=pmi2). Pure: text in, text out. What comes in is checked, whoever sent it.
//
//     version 1   cmd=put kvsname=kvs_1 key=a value=b\n
//     version 2       26cmd=kvs-put;key=a;value=b;      the length in six places, then so much
//                 28    cmd=kvs-fence-response;rc=0;    (Slurm fills them up on the right)
//
// Every version begins with version 1's cmd=init.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace xccl {

enum class PmiVersion { kOne = 1, kTwo = 2 };

constexpr std::size_t kMaxPmiMessageBytes = 1 << 16;

struct PmiMessage {
    std::string command;
    std::vector<std::pair<std::string, std::string>> fields;  // without cmd

    // Null if there is none. The first of several.
    const std::string* find(const std::string& name) const;
    // As a number; no value if it is none.
    std::optional<int> number(const std::string& name) const;
};

// Names and values must not contain white space, '=' or (names) ';'.
std::string encode(PmiVersion version, const PmiMessage& message);

// Cuts the first message off `received`. No value: it is not complete yet.
//   system_error  this is not PMI; nothing that follows can be understood
Result<std::optional<PmiMessage>> take_message(PmiVersion version, std::string* received);

}  // namespace xccl
