// How ranks begin together: what each of them found wrong on its own, and whether all are about to
// do the same.
#pragma once

#include <cstdint>
#include <optional>

#include "program/failure.h"
#include "program/job.h"

namespace xccl::trainer {

// Ranks tell each other whether they are ready. Returns if all are, and with the same `purpose` (a
// checksum of what must be alike). Else throws on every rank, and so that only one of them speaks:
// the lowest that failed.
void agree_to_start(Job& job, const std::optional<Failure>& mine, std::uint64_t purpose);

// One that another rank reports: this one ends with the same code and says nothing.
class ReportedFailure : public Failure {
  public:
    using Failure::Failure;
};

}  // namespace xccl::trainer
