// Encoded steps as bytes: what a device or another process is handed, and what may therefore come
// back damaged. Little-endian, without padding:
//
//     header      magic "xccl", version 1: u8; rank, rank_count, chunk_count, scratch_chunk_count,
//                 max_span, strand_count: u32; peers, lanes: u16
//     peers       u16 each
//     each lane   steps: u32, and for each
//                     sources, destinations: u16; span, round: u32
//                     operands, sources first:  space: u8; peer index: u16; chunk: u32
//
// One program has one encoding: what decodes is encoded to the very same bytes again.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "schedule/steps.h"

namespace xccl {

std::string bytes_of_steps(const Steps& steps);

// Refuses everything that bytes_of_steps() would not have written: short or spare bytes, numbers
// beyond base/limits.h, operands of no known space or peer. Memory stays in proportion to the
// bytes. What the steps would do is not looked at: check_steps() and verify() are for that.
Result<Steps> steps_of_bytes(std::string_view bytes);

}  // namespace xccl
