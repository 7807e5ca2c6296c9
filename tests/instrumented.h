// Is this a build with a sanitizer? What is promised in time is promised of ordinary ones.
#pragma once

namespace xccl {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif

// How many times as long everything may take.
constexpr int kSlowness = kInstrumented ? 20 : 1;

}  // namespace xccl
