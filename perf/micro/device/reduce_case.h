// What is timed: one form of a reduction or a copy, on the operands of one set of a level.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "device/kernels.h"
#include "device/streamed.h"
#include "perf/micro/device/levels.h"

namespace xccl::bench {

struct Case {
    enum class Form { kCopy, kReduce, kWiden, kNarrow };
    Form form = Form::kReduce;
    xcclDataType_t type = xcclUint8;
    ReduceKind kind = ReduceKind::kSum;
    std::size_t source_count = 1;
    std::size_t destination_count = 1;
    bool streamed = false;

    std::string name() const;  // "sum/float32/2:1"
    std::size_t source_element_bytes() const;
    std::size_t destination_element_bytes() const;
    // Elements of each operand, if a call may read and write `call_bytes`.
    std::size_t element_count(std::size_t call_bytes) const;
    // What a call with so many elements reads and writes.
    std::size_t traffic(std::size_t count) const;
};

// A case bound to memory.
class BoundCase {
  public:
    BoundCase(const Case& of, std::size_t count, const std::byte* sources, std::byte* destinations);
    void run() const {
        if (case_.form == Case::Form::kCopy) {
            (case_.streamed ? copy_bytes_streamed : copy_bytes)(destinations_[0].data,
                                                                sources_[0].data, count_);
        } else {
            const Reduction reduction{case_.type,    case_.kind, sources_,
                                      destinations_, count_,     Scale{}};
            case_.streamed ? reduce_streamed(reduction) : reduce(reduction);
        }
    }

  private:
    Case case_;
    std::size_t count_;
    std::vector<ReduceSource> sources_;
    std::vector<ReduceDestination> destinations_;
};

// Runs the case on small whole numbers, at an odd address, and compares with plain arithmetic.
bool is_right(const Case& c);

}  // namespace xccl::bench
