// xccl as a rival: its public API and the null stream.
#include "xccl.h"

#include "library.h"

namespace xccl::compare {
namespace {

void check(xcclResult_t result) {
    if (result != xcclSuccess) give_up(std::string("xccl: ") + xcclGetLastError(nullptr));
}

class Xccl final : public Library {
  public:
    Xccl() {
        job_.size = sizeof job_;
        xcclUniqueId id;
        check(xcclGetLaunchInfo(&job_));
        check(xcclGetJobUniqueId(&id));
        check(xcclCommInitRank(&comm_, job_.nranks, id, job_.rank));
    }
    Xccl(const Xccl&) = delete;
    Xccl& operator=(const Xccl&) = delete;
    Xccl(Xccl&&) = delete;
    Xccl& operator=(Xccl&&) = delete;
    ~Xccl() override { xcclCommDestroy(comm_); }

    int rank() const override { return job_.rank; }
    int rank_count() const override { return job_.nranks; }
    std::string description() const override { return "xccl"; }

    void* allocate(std::size_t bytes, Pages pages) override {
        if (pages == Pages::kOrdinary) return Library::allocate(bytes, pages);
        void* memory = nullptr;
        check(xcclMemAlloc(&memory, bytes));
        return memory;
    }
    void free(void* memory, std::size_t bytes, Pages pages) override {
        if (pages == Pages::kOrdinary) return Library::free(memory, bytes, pages);
        check(xcclMemFree(memory));
    }

    bool prepare(const Call& call) override {
        call_ = call;
        return true;
    }
    void run() override {
        const float* input = call_.input.data();
        float* output = call_.output.data();
        const std::size_t input_count = call_.input.size();
        const std::size_t output_count = call_.output.size();
        const auto rank_count = static_cast<std::size_t>(job_.nranks);
        switch (call_.operation) {
            case Operation::kAllReduce:
                return check(xcclAllReduce(input, output, output_count, xcclFloat32, xcclSum, comm_,
                                           nullptr));
            case Operation::kAllGather:
                return check(
                    xcclAllGather(input, output, input_count, xcclFloat32, comm_, nullptr));
            case Operation::kReduceScatter:
                return check(xcclReduceScatter(input, output, output_count, xcclFloat32, xcclSum,
                                               comm_, nullptr));
            case Operation::kBroadcast:
                return check(xcclBcast(output, output_count, xcclFloat32, 0, comm_, nullptr));
            case Operation::kAlltoall:
                return check(xcclAlltoAll(input, output, input_count / rank_count, xcclFloat32,
                                          comm_, nullptr));
        }
    }

  private:
    xcclLaunchInfo_t job_ = {};
    xcclComm_t comm_ = nullptr;
    Call call_;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*>) {
    return std::make_unique<Xccl>();
}

}  // namespace xccl::compare
