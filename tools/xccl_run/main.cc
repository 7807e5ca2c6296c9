// xccl-run: runs a program N times on this machine, as the ranks of one job.

#include <cstdio>
#include <string>
#include <vector>

#include "xccl_run/options.h"
#include "xccl_run/supervisor.h"

int main(int argc, char** argv) {
    const auto options = xccl::run::parse_options(std::vector<std::string>(argv + 1, argv + argc));
    if (!options.ok()) {
        std::fprintf(stderr, "xccl-run: %s\nTry xccl-run --help.\n",
                     options.status().text().c_str());
        return 2;
    }
    if (options->command.empty()) {
        std::fputs(options->text.c_str(), stdout);
        return 0;
    }
    return xccl::run::Supervisor(*options).run();
}
