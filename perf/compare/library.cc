// What libraries have in common, unless they say otherwise: ordinary memory.
#include "library.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace xccl::compare {

void* Library::allocate(std::size_t bytes, Pages pages) {
    if (pages == Pages::kRegistered) return nullptr;
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) give_up("no memory for buffers of " + std::to_string(bytes));
    return memory;
}

void Library::free(void* memory, std::size_t bytes, Pages) {
    munmap(memory, bytes);
}

void give_up(const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    std::_Exit(1);
}

}  // namespace xccl::compare
