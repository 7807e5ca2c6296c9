// Where the time of a step goes, in the order and the words in which every output says it.
#pragma once

#include <array>
#include <string>

#include "report/step_record.h"

namespace xccl::trainer {

struct TimeShare {
    const char* name;
    int colour;  // of charts
    double StepTimes::*seconds;
};

inline constexpr std::array<TimeShare, 5> kTimeShares = {{
    {"compute", 1, &StepTimes::compute},
    {"exposed communication", 2, &StepTimes::exposed_communication},
    {"input", 3, &StepTimes::input},
    {"optimizer", 4, &StepTimes::optimizer},
    {"other", 5, &StepTimes::other},
}};

// seconds / total, or 0 before anything was measured.
inline double share_of(double seconds, const StepTimes& times) {
    const double total = times.total();
    return total > 0 ? seconds / total : 0;
}

// "compute 91 %  exposed communication 3 %  input 0 %  optimizer 6 %": what is not "other".
std::string shares_text(const StepTimes& times);

// "compute 91 comm 3 in 0 opt 6 %": for narrow places.
std::string brief_shares_text(const StepTimes& times);

// "1:05", "2:03:04": for people who wait.
std::string clock_text(double seconds);

// "12,345": whole numbers, three digits at a time.
std::string grouped(double value);

}  // namespace xccl::trainer
