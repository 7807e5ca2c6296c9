// One operation of a simulated program: what every rank calls, what it holds before, and what it
// must hold afterwards.
//
// Contents are functions of (salt, rank, position), so nothing is stored, and what is combined is
// chosen so that the result is exact in every datatype, whatever the order of combination is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/operation.h"
#include "simulator/random.h"
#include "xccl.h"

namespace xccl::simulator {

// A part of a group of sends and receives.
struct Transfer {
    int from = 0;
    int to = 0;
    std::uint64_t count = 0;
};

struct Operation {
    xcclColl_t coll = xcclCollAllReduce;
    xcclDataType_t type = xcclUint8;
    xcclRedOp_t op = xcclSum;
    bool premultiplied = false;  // of a sum
    int root = 0;
    std::uint64_t count = 0;            // as in the API; v-variants: of the largest block
    std::vector<std::uint64_t> counts;  // all_gatherv, reduce_scatterv: by rank
    std::uint64_t gap = 0;              // v-variants: elements between blocks
    std::vector<Transfer> transfers;    // xcclCollSendRecv
    bool in_place = false;
    bool reproducible = false;
    std::uint64_t salt = 0;

    bool is_vector() const {
        return coll == xcclCollAllGatherv || coll == xcclCollReduceScatterv ||
               coll == xcclCollAlltoAllv;
    }
    bool combines() const;
    bool is_rooted() const;
    OperationDescriptor descriptor() const;
    std::string text() const;
};

// all_to_allv: how much `from` sends to `to`.
std::uint64_t pair_count(const Operation& operation, int from, int to);
// Of a v-variant, the block of every peer in this rank's buffers.
struct Blocks {
    std::vector<std::uint64_t> counts;
    std::vector<std::uint64_t> displacements;
    std::uint64_t total() const;  // elements of a buffer that holds them
};
Blocks input_blocks(const Operation& operation, int rank, int rank_count);
Blocks output_blocks(const Operation& operation, int rank, int rank_count);

// Elements of a rank's buffers.
std::uint64_t input_elements(const Operation& operation, int rank, int rank_count);
std::uint64_t output_elements(const Operation& operation, int rank, int rank_count);
// Where the smaller buffer lies in the larger one if the operation is in place on this rank: the
// input in the output, or for what scatters, the output in the input. -1: not in place.
std::int64_t place_offset(const Operation& operation, int rank, int rank_count);

// What a rank's output is made of.
struct Run {
    std::uint64_t destination = 0;  // elements from the output's start
    int source = -1;                // whose input; -1: of all ranks, combined
    std::uint64_t source_offset = 0;
    std::uint64_t count = 0;
};
std::vector<Run> output_runs(const Operation& operation, int rank, int rank_count);

// Element `index` of a rank's input; and of all ranks' inputs, combined.
void write_input(const Operation& operation, int rank, int rank_count, std::uint64_t first,
                 std::uint64_t count, std::byte* destination);
void write_combined(const Operation& operation, int rank_count, std::uint64_t first,
                    std::uint64_t count, std::byte* destination);

// The factor of a premultiplied sum.
constexpr int kFactor = 2;

}  // namespace xccl::simulator
