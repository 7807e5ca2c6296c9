#include "algorithms/cyclic_runs.h"

#include <algorithm>

namespace xccl {

std::vector<Cell> cyclic_runs(int first, int count, int n, const std::vector<int>& cuts) {
    std::vector<Cell> runs;
    int begin = 0;
    for (int offset = 1; offset <= count; ++offset) {
        const bool ends = offset == count || (first + offset) % n == 0 ||
                          std::find(cuts.begin(), cuts.end(), offset) != cuts.end();
        if (!ends) continue;
        runs.push_back(work((first + begin) % n, offset - begin));
        begin = offset;
    }
    return runs;
}

}  // namespace xccl
