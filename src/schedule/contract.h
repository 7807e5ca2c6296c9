// What a contract means for one rank: which chunks its buffers have, and which work chunk each of
// them is. The resolver places work chunks by it, and the verifier judges by it.
//
//     contract         input              output             rank r, root q, C chunks
//     kAllReduce       C                  C
//     kReduce          C                  C on q, else none
//     kBroadcast       C on q, else none  C
//     kAllGather       1: work chunk r    C
//     kReduceScatter   C                  1: work chunk r
//     kAllToAll        C                  C                  two numberings; no work chunks
//     kGather          1: work chunk r    C on q, else none
//     kScatter         C on q, else none  1: work chunk r
//     kBarrier         C                  C
#pragma once

#include <cstdint>
#include <optional>

#include "schedule/schedule.h"

namespace xccl {

struct Party {
    Contract contract = Contract::kAllReduce;
    int rank = 0;
    int rank_count = 1;
    int root = 0;
    std::uint32_t chunk_count = 1;
};

const char* contract_name(Contract contract);
bool is_rooted(Contract contract);
// Are contributions of several ranks combined?
bool is_combining(Contract contract);

// Chunks of this rank's buffers; 0: the buffer may not be touched.
std::uint32_t input_chunk_count(const Party& party);
std::uint32_t output_chunk_count(const Party& party);

// The kInput chunk that a work chunk is before its first write; none: it is undefined.
std::optional<std::uint32_t> input_of(const Party& party, std::uint32_t work_chunk);
// The kOutput chunk in which this rank must deliver a work chunk; none: it must not.
std::optional<std::uint32_t> output_of(const Party& party, std::uint32_t work_chunk);

// The work chunk that a buffer's chunk is as long as. kAllToAll: see length_class().
std::uint32_t work_of_input(const Party& party, std::uint32_t chunk);
std::uint32_t work_of_output(const Party& party, std::uint32_t chunk);

// Chunks of one class have equal lengths in every tile, whatever the lengths are; of two classes
// they may differ (all_to_allv). `space` is kInput or kOutput.
std::uint64_t length_class(const Party& party, Space space, std::uint32_t chunk);

}  // namespace xccl
