#include "program/start.h"

#include <vector>

namespace xccl::trainer {
namespace {

struct Readiness {
    int code = kSucceeded;
    std::uint64_t purpose = 0;
};

}  // namespace

void agree_to_start(Job& job, const std::optional<Failure>& mine, std::uint64_t purpose) {
    const std::vector<Readiness> all =
        job.gather(Readiness{.code = mine ? mine->code() : kSucceeded, .purpose = purpose});
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
        if (all[rank].code == kSucceeded) continue;
        job.close();
        if (rank == job.rank()) throw *mine;
        throw ReportedFailure(static_cast<ExitCode>(all[rank].code), "reported by rank {}", rank);
    }
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
        if (all[rank].purpose == all[0].purpose) continue;
        job.close();
        throw SharedFailure(kBadUsage,
                            "rank {} has another text or other options than rank 0. Start all "
                            "ranks alike.",
                            rank);
    }
}

}  // namespace xccl::trainer
