// Goal: docs/algorithms.md shows every algorithm as it is. Method: its generated parts are
// generated again. A stale page is written anew beside the build; the message says what to copy.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "algorithms/proving.h"
#include "schedule/print.h"

namespace xccl {
namespace {

std::string table_of(const Algorithm& algorithm) {
    const bool needs_nodes = !supports(algorithm, testing::shape_of(4));
    Shape shape = testing::shape_of(4, 0, needs_nodes ? 2 : 0);
    std::vector<Schedule> ranks;
    for (shape.rank = 0; shape.rank < shape.rank_count; ++shape.rank) {
        ranks.push_back(algorithm.generate(shape));
    }
    return print_table(ranks);
}

TEST(Documentation, ShowsEveryAlgorithmAsItIs) {
    std::stringstream text;
    text << std::ifstream(XCCL_ALGORITHMS_PAGE).rdbuf();
    const std::string page = text.str();
    ASSERT_FALSE(page.empty()) << "cannot read " << XCCL_ALGORITHMS_PAGE;
    std::string fresh = page;
    for (const Algorithm& algorithm : all_algorithms()) {
        const std::string begin = "<!-- rounds of " + std::string(algorithm.name) + " -->\n\n";
        const std::size_t at = fresh.find(begin);
        ASSERT_NE(at, std::string::npos) << "the page lacks: " << begin;
        const std::size_t first = at + begin.size();
        const std::size_t end = fresh.find("\n<!-- end -->", first);
        ASSERT_NE(end, std::string::npos) << algorithm.name;
        fresh.replace(first, end - first, table_of(algorithm));
    }
    if (fresh == page) return;
    const std::string corrected = ::testing::TempDir() + "algorithms.md";
    std::ofstream(corrected) << fresh;
    ADD_FAILURE() << XCCL_ALGORITHMS_PAGE << " is stale; as it should be: " << corrected;
}

}  // namespace
}  // namespace xccl
