// The most that one core can do: independent fused multiply-adds in registers.
#pragma once

namespace xccl::trainer {

// A fixed number of multiply-adds; returns a number that depends on all of them.
float run_multiply_adds();
double multiply_adds_flops();  // of one call

// Floating-point operations per second of one core, the best of several measurements; measured at
// the first call.
double multiply_add_limit();

}  // namespace xccl::trainer
