// A libpmix.so.2 for tests: rank PMIX_RANK of a job whose other processes are always there already.
// FAKE_PMIX spoils it: "refuses", "never meets", "has nothing", "answers late".
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bootstrap/pmix_library.h"

using namespace xccl::pmix;

namespace {

constexpr Code kNotFound = -46;

bool spoilt(const char* how) {
    const char* const value = std::getenv("FAKE_PMIX");
    return value != nullptr && std::strcmp(value, how) == 0;
}

std::map<std::string, std::string> waiting, committed;
// Never destroyed: keeps them from looking lost to a leak checker, which looks last of all.
std::vector<void*>& unanswered = *new std::vector<void*>;

void answer(OnValue done, void* context, Code code, Value value) {
    // As the real one: from another thread.
    std::thread([=]() mutable { done(code, code == 0 ? &value : nullptr, context); }).join();
}

}  // namespace

#define FAKE extern "C" __attribute__((visibility("default")))

FAKE Code PMIx_Init(Process* self, Info*, std::size_t) {
    if (spoilt("refuses")) return -25;
    std::strcpy(self->job, "fake");
    self->rank = static_cast<std::uint32_t>(std::atoi(std::getenv("PMIX_RANK")));
    committed["from the launcher"] = "a value";
    return 0;
}

FAKE Code PMIx_Finalize(const Info*, std::size_t) {
    std::fputs("finalized\n", stderr);
    return 0;
}

FAKE Code PMIx_Put(std::uint8_t scope, const char* key, Value* value) {
    if (scope != kEverywhere || value->type != kString) return -27;
    waiting[key] = value->data.string;
    return 0;
}

FAKE Code PMIx_Commit() {
    committed.merge(waiting);
    return 0;
}

FAKE Code PMIx_Fence_nb(const Process* processes, std::size_t process_count, const Info* infos,
                        std::size_t count, OnDone done, void* context) {
    const bool as_wanted = process_count == 1 && processes->rank == kAnyRank && count == 1 &&
                           std::strcmp(infos->key, kCollectData) == 0 && infos->value.data.flag;
    if (!as_wanted) return -27;
    if (spoilt("never meets")) {
        unanswered.push_back(context);
        return 0;
    }
    if (spoilt("answers late")) return kSucceededAtOnce;
    std::thread([=] { done(0, context); }).join();
    return 0;
}

FAKE Code PMIx_Get_nb(const Process* process, const char* key, const Info*, std::size_t,
                      OnValue done, void* context) {
    Value value{};
    if (spoilt("answers late")) {
        unanswered.push_back(context);
        return 0;
    }
    if (std::strcmp(key, kJobSize) == 0 || std::strcmp(key, kLocalSize) == 0) {
        if (process->rank != kAnyRank || spoilt("has nothing")) return kNotFound;
        value.type = kUint32;
        value.data.uint32 = std::strcmp(key, kJobSize) == 0 ? 8 : 4;
        answer(done, context, 0, value);
        return 0;
    }
    if (std::strcmp(key, kLocalRank) == 0) {
        value.type = kUint16;
        value.data.uint16 = static_cast<std::uint16_t>(process->rank % 4);
        answer(done, context, 0, value);
        return 0;
    }
    const auto found = committed.find(key);
    const bool there = process->rank == 0 && found != committed.end() && !spoilt("has nothing");
    if (there) {
        value.type = kString;
        value.data.string = found->second.data();
    }
    answer(done, context, there ? 0 : kNotFound, value);
    return 0;
}

FAKE const char* PMIx_Error_string(Code code) {
    return code == kNotFound ? "NOT-FOUND" : "FAKE-ERROR";
}
