// One of the *_perf programs; the build says which.
#include "run/run.h"

int main(int argc, char** argv, char** environment) {
    return xccl::perf::run_program(XCCL_PERF_COLLECTIVE, argc, argv, environment);
}
