// How ranks agree on what failed: whoever notices tells, and the first to be heard is right.
//
// The ranks of one host share a record (transport/failure_record.h); between hosts, word goes by an
// arbiter, which the communicator's failure watch must be like. So that all survivors end with the
// same error, a host's record is filled by the arbiter's verdict only.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/status.h"
#include "simulator/events.h"
#include "simulator/random.h"
#include "transport/failure_record.h"

namespace xccl::simulator {

class Agreement {
  public:
    Agreement(Events* events, Random* random, int host_count)
        : events_(*events), random_(*random), records_(static_cast<std::size_t>(host_count)) {}

    // The ranks of a host have something to look at.
    std::function<void(int host)> wake;

    void tell(int host, const Status& failure, int culprit) {
        const Failure told{.culprit_rank = culprit, .code = failure.code(), .text = failure.text()};
        if (records_.size() == 1) return decide(told);
        events_.after(delay(), [this, host, told, life = life_] {
            (void)host;
            if (life == life_ && !verdict_) decide(told);
        });
    }
    // What this host knows.
    std::optional<Failure> look(int host) const {
        return records_[static_cast<std::size_t>(host)].record->read();
    }
    const std::optional<Failure>& verdict() const { return verdict_; }

    void restart() {
        ++life_;
        verdict_.reset();
        for (Record& record : records_) record = Record();
    }

  private:
    struct Record {
        std::unique_ptr<FailureRecord> record = std::make_unique<FailureRecord>();
    };
    Time delay() { return records_.size() == 1 ? 0 : random_.between(10'000, 500'000); }

    void decide(const Failure& failure) {
        if (verdict_) return;
        verdict_ = failure;
        for (std::size_t host = 0; host < records_.size(); ++host) {
            events_.after(delay(), [this, host, failure, life = life_] {
                if (life != life_) return;
                records_[host].record->publish(failure);
                wake(static_cast<int>(host));
            });
        }
    }

    Events& events_;
    Random& random_;
    std::vector<Record> records_;
    std::optional<Failure> verdict_;
    std::uint32_t life_ = 0;
};

}  // namespace xccl::simulator
