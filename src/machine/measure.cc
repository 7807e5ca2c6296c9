#include "machine/measure.h"

#include <system_error>

#include "machine/cache_experiments.h"
#include "machine/message_experiment.h"

namespace xccl {

MeasuredCosts measure(std::span<const Experiment> experiments, const Stopwatch& stopwatch) {
    MeasuredCosts costs = built_in_costs();
    for (const Experiment& experiment : experiments) {
        if (stopwatch.over()) break;
        try {
            experiment(stopwatch, &costs);
        } catch (const std::system_error&) {
            // No thread is to be had: the machine is too full to be measured.
        } catch (const std::bad_alloc&) {
            // No memory: likewise.
        }
    }
    return believable(costs);
}

std::vector<Experiment> machine_experiments() {
    return {measure_caches, measure_messages, measure_streaming};
}

}  // namespace xccl
