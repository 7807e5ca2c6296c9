// As much of the PMIx standard's C interface as is needed here, and the library that serves it,
// opened when a process was started by a PMIx launcher: libxccl.so does not depend on it.
//
// Layouts as the PMIx standard fixes them for versions 3 to 5; a test compares them with the
// system's header where that is installed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace xccl::pmix {

using Code = int;                        // 0: success
constexpr Code kSucceededAtOnce = -157;  // of a non-blocking call: its callback is not called

struct Process {
    char job[256];
    std::uint32_t rank;
};
constexpr std::uint32_t kAnyRank = UINT32_MAX - 1;

enum Type : std::uint16_t { kBool = 1, kString = 3, kUint16 = 13, kUint32 = 14 };
struct Value {
    std::uint16_t type;
    union {
        bool flag;
        char* string;
        std::uint16_t uint16;
        std::uint32_t uint32;
        void* largest[3];
    } data;
};
struct Info {
    char key[512];
    std::uint32_t flags;
    Value value;
};
constexpr std::uint8_t kEverywhere = 3;  // a scope

constexpr const char* kJobSize = "pmix.job.size";      // uint32, of the job
constexpr const char* kLocalSize = "pmix.local.size";  // uint32, of the job
constexpr const char* kLocalRank = "pmix.lrank";       // uint16, of a process
constexpr const char* kCollectData = "pmix.collect";   // bool, of a fence

using OnDone = void (*)(Code code, void* context);
using OnValue = void (*)(Code code, Value* value, void* context);

struct Library {
    Code (*init)(Process* self, Info* infos, std::size_t count);
    Code (*finalize)(const Info* infos, std::size_t count);
    Code (*put)(std::uint8_t scope, const char* key, Value* value);
    Code (*commit)();
    Code (*fence)(const Process* processes, std::size_t process_count, const Info* infos,
                  std::size_t count, OnDone done, void* context);
    Code (*get)(const Process* process, const char* key, const Info* infos, std::size_t count,
                OnValue done, void* context);
    const char* (*error_text)(Code code);
};

// Stays open until the process ends: its threads' code must not go away.
//   system_error  libpmix is not installed, or lacks a function
Result<Library> open_library();

}  // namespace xccl::pmix
