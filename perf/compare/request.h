// What a rank is told to measure, in one line of words:
//
//   measure OPERATION BYTES PAGES PLACE MODE PAIRS WARM_UPS ITERATIONS SEED ALGORITHM
//   measure all_reduce 4096 ordinary apart cold 12 12 300 7 default
//
// BYTES is the larger of what a rank sends and receives, as in the tables of xccl-tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "library.h"

namespace xccl::compare {

// kHot: the same buffers again and again, rewritten by their owner before each call.
// kCold: calls go round through pairs of buffers that are in no cache, and ranks come at random.
enum class Mode { kHot, kCold };

struct Request {
    Operation operation = Operation::kAllReduce;
    std::size_t bytes = 0;
    Pages pages = Pages::kOrdinary;
    bool in_place = false;
    Mode mode = Mode::kHot;
    std::size_t pairs = 1;  // of input and output
    int warm_ups = 0;
    int iterations = 0;
    std::uint32_t seed = 0;  // of the arrivals
    std::string algorithm;
};

// Ends the process, with a text that names the line, if it is none of these.
Request read_request(const std::string& line);

// Elements of each rank's input and output.
struct Shape {
    std::size_t input = 0;
    std::size_t output = 0;
    std::size_t block = 0;  // what one rank has of the input or the output, where there are parts
};
Shape shape_of(const Request& request, int rank_count);

}  // namespace xccl::compare
