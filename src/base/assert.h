// XCCL_ASSERT: our own bugs. Always on in the control plane; XCCL_DEBUG_ASSERT per byte, in debug
// builds only. Both end the process with file, line and the condition: state that is known to be
// wrong must not reach a peer.
#pragma once

namespace xccl {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define XCCL_ASSERT(condition)          \
    (__builtin_expect(!!(condition), 1) \
         ? (void)0                      \
         : ::xccl::assertion_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define XCCL_DEBUG_ASSERT(condition) ((void)0)
#else
#define XCCL_DEBUG_ASSERT(condition) XCCL_ASSERT(condition)
#endif
