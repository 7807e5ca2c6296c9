// xccl-info: what this build is and which settings are in force.
//
//   xccl-info [--config | --config-doc | --version]

#include <cstdio>
#include <string_view>

#include "base/config.h"
#include "device/kernels.h"
#include "xccl.h"

namespace {

constexpr const char* kUsage =
    "usage: xccl-info [--version | --config | --config-doc]\n"
    "  --version     version and the instruction set of the reduction kernels (default)\n"
    "  --config      the settings in force, one NAME=value per line\n"
    "  --config-doc  the documentation page of all settings\n";

int print_config() {
    const auto loaded = xccl::load_config();
    if (!loaded.ok()) {
        std::fprintf(stderr, "xccl-info: %s\n", loaded.status().text().c_str());
        return 1;
    }
    std::fputs(xccl::config_text().c_str(), stdout);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view option = argc > 1 ? argv[1] : "--version";
    if (argc > 2) {
        std::fprintf(stderr, "xccl-info: one option at a time\n%s", kUsage);
        return 2;
    }
    if (option == "--version") {
        std::printf("xccl %d.%d.%d, kernels: %s\n", XCCL_MAJOR, XCCL_MINOR, XCCL_PATCH,
                    xccl::instruction_set());
        return 0;
    }
    if (option == "--config") return print_config();
    if (option == "--config-doc") {
        std::fputs(xccl::config_markdown().c_str(), stdout);
        return 0;
    }
    if (option == "--help" || option == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    std::fprintf(stderr, "xccl-info: unknown option %s\n%s", argv[1], kUsage);
    return 2;
}
