// The system calls that can run out of something, so that tests can make them.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace xccl {

struct SystemCalls {
    int (*memfd_create)(const char* name, unsigned flags) = ::memfd_create;
    int (*ftruncate)(int descriptor, off_t bytes) = ::ftruncate;
    int (*fallocate)(int descriptor, int mode, off_t offset, off_t bytes) = ::fallocate;
    void* (*mmap)(void* address, std::size_t bytes, int protection, int flags, int descriptor,
                  off_t offset) = ::mmap;
    int (*madvise)(void* address, std::size_t bytes, int advice) = ::madvise;
};

}  // namespace xccl
