// The program of every library that is called from C++: see worker.cc.
#include "worker.h"

int main(int argc, char** argv) {
    using namespace xccl::compare;
    if (argc < 3) give_up("use: compare_<library> SOCKET STARTING_LINE [ARGUMENTS...]");
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    const auto library = open_library(arguments.subspan(3));
    serve_coordinator(*library, arguments[1], arguments[2]);
    return 0;
}
