#include "request.h"

#include <array>
#include <sstream>
#include <utility>

namespace xccl::compare {
namespace {

constexpr std::size_t kBlockUnit = 16 / sizeof(float);  // blocks are rounded down, as xccl-tests'

template <typename Value, std::size_t kCount>
Value chosen(std::istream& words, const std::array<std::pair<const char*, Value>, kCount>& names) {
    std::string word;
    words >> word;
    for (const auto& [name, value] : names) {
        if (word == name) return value;
    }
    give_up("the coordinator asks for what no rank knows: '" + word + "'");
}

}  // namespace

Request read_request(const std::string& line) {
    constexpr std::array<std::pair<const char*, Operation>, 5> kOperations = {
        {{"all_reduce", Operation::kAllReduce},
         {"all_gather", Operation::kAllGather},
         {"reduce_scatter", Operation::kReduceScatter},
         {"broadcast", Operation::kBroadcast},
         {"alltoall", Operation::kAlltoall}}};
    constexpr std::array<std::pair<const char*, Pages>, 2> kPages = {
        {{"ordinary", Pages::kOrdinary}, {"registered", Pages::kRegistered}}};
    constexpr std::array<std::pair<const char*, bool>, 2> kPlaces = {
        {{"apart", false}, {"in_place", true}}};
    constexpr std::array<std::pair<const char*, Mode>, 2> kModes = {
        {{"hot", Mode::kHot}, {"cold", Mode::kCold}}};
    std::istringstream words(line);
    std::string verb;
    Request request;
    words >> verb;
    if (verb != "measure") give_up("the coordinator says what no rank knows: " + line);
    request.operation = chosen(words, kOperations);
    words >> request.bytes;
    request.pages = chosen(words, kPages);
    request.in_place = chosen(words, kPlaces);
    request.mode = chosen(words, kModes);
    words >> request.pairs >> request.warm_ups >> request.iterations >> request.seed >>
        request.algorithm;
    if (!words || request.bytes < sizeof(float) || request.pairs < 1 || request.iterations < 1) {
        give_up("the coordinator's request is incomplete: " + line);
    }
    if (request.in_place && request.operation != Operation::kAllReduce) {
        give_up("only an all-reduce is compared in place: " + line);
    }
    if (request.mode == Mode::kHot && request.pairs != 1) {
        give_up("hot calls have one pair of buffers: " + line);
    }
    return request;
}

Shape shape_of(const Request& request, int rank_count) {
    const auto ranks = static_cast<std::size_t>(rank_count);
    const std::size_t count = request.bytes / sizeof(float);
    const std::size_t block = count / ranks / kBlockUnit * kBlockUnit;
    switch (request.operation) {
        case Operation::kAllReduce:
        case Operation::kBroadcast:
            return {.input = count, .output = count, .block = count};
        case Operation::kAllGather:
            return {.input = block, .output = ranks * block, .block = block};
        case Operation::kReduceScatter:
            return {.input = ranks * block, .output = block, .block = block};
        case Operation::kAlltoall:
            return {.input = ranks * block, .output = ranks * block, .block = block};
    }
    give_up("an operation without a shape");
}

}  // namespace xccl::compare
