#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace xccl {

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "xccl bug: %s:%d: %s does not hold; please report this line\n", file, line,
                 condition);
    std::abort();
}

}  // namespace xccl
