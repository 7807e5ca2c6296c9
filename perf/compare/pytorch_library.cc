// torch.distributed as a rival: the worker as a library that a Python program loads
// (pytorch_worker.py), and that calls its functions for what is PyTorch's part.
//
// Each call from here into Python costs some half a microsecond, and counts: whoever uses PyTorch
// calls it from Python.
#include "worker.h"

namespace xccl::compare {
namespace {

// Filled by the Python program; its fields are in the order of _Functions there.
struct Functions {
    // 0 where it does not do the operation, whose number is that of Operation.
    int (*prepare)(int operation, const float* input, std::size_t input_count, float* output,
                   std::size_t output_count) = nullptr;
    void (*run)() = nullptr;
    void (*release)() = nullptr;
};

class PyTorch final : public Library {
  public:
    PyTorch(const Functions& functions, int rank, int rank_count, std::string description)
        : functions_(functions),
          rank_(rank),
          rank_count_(rank_count),
          description_(std::move(description)) {}
    int rank() const override { return rank_; }
    int rank_count() const override { return rank_count_; }
    std::string description() const override { return description_; }
    bool prepare(const Call& call) override {
        return functions_.prepare(static_cast<int>(call.operation), call.input.data(),
                                  call.input.size(), call.output.data(), call.output.size()) != 0;
    }
    void run() override { functions_.run(); }
    void release() override { functions_.release(); }

  private:
    Functions functions_;
    int rank_;
    int rank_count_;
    std::string description_;
};

}  // namespace
}  // namespace xccl::compare

// Returns when the coordinator says that all is done.
extern "C" __attribute__((visibility("default"))) void xccl_compare_serve(
    const xccl::compare::Functions* functions, int rank, int rank_count, const char* description,
    const char* socket, const char* starting_line) {
    xccl::compare::PyTorch library(*functions, rank, rank_count, description);
    xccl::compare::serve_coordinator(library, socket, starting_line);
}
