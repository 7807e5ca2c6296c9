// oneCCL as a rival: its build from Python packages, run on the processor, over MPI or libfabric,
// as its launch says.
//
// Arguments: rank, number of ranks, and a folder where the ranks find each other.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <oneapi/ccl.hpp>
#include <optional>
#include <thread>

#include "library.h"

namespace xccl::compare {
namespace {

constexpr std::chrono::seconds kMeeting{60};

// Rank 0 writes its address into a file that appears whole; the others wait for that.
std::shared_ptr<ccl::kvs> meet(int rank, const std::string& folder) {
    const std::string path = folder + "/oneccl";
    if (rank == 0) {
        auto store = ccl::create_main_kvs();
        const ccl::kvs::address_type address = store->get_address();
        std::ofstream(path + ".part", std::ios::binary)
            .write(address.data(), static_cast<std::streamsize>(address.size()));
        std::filesystem::rename(path + ".part", path);
        return store;
    }
    const auto deadline = std::chrono::steady_clock::now() + kMeeting;
    while (!std::filesystem::exists(path)) {
        if (std::chrono::steady_clock::now() > deadline) give_up("oneccl: rank 0 does not come");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ccl::kvs::address_type address{};
    std::ifstream(path, std::ios::binary)
        .read(address.data(), static_cast<std::streamsize>(address.size()));
    return ccl::create_kvs(address);
}

class OneCcl final : public Library {
  public:
    OneCcl(int rank, int rank_count, const std::string& folder)
        : rank_(rank), rank_count_(rank_count) {
        ccl::init();
        comm_.emplace(ccl::create_communicator(rank_count_, rank_, meet(rank_, folder)));
    }

    int rank() const override { return rank_; }
    int rank_count() const override { return rank_count_; }
    std::string description() const override {
        const ccl::library_version version = ccl::get_library_version();
        return "oneCCL " + std::to_string(version.major) + "." + std::to_string(version.minor) +
               "." + std::to_string(version.update);
    }

    bool prepare(const Call& call) override {
        call_ = call;
        return true;
    }
    void run() override {
        void* input = const_cast<float*>(call_.input.data());
        void* output = call_.output.data();
        const std::size_t in = call_.input.size();
        const std::size_t out = call_.output.size();
        constexpr auto kFloat = ccl::datatype::float32;
        switch (call_.operation) {
            case Operation::kAllReduce:
                ccl::allreduce(input, output, out, kFloat, ccl::reduction::sum, *comm_).wait();
                break;
            case Operation::kAllGather:
                ccl::allgather(input, output, in, kFloat, *comm_).wait();
                break;
            case Operation::kReduceScatter:
                ccl::reduce_scatter(input, output, out, kFloat, ccl::reduction::sum, *comm_).wait();
                break;
            case Operation::kBroadcast:
                ccl::broadcast(output, out, kFloat, 0, *comm_).wait();
                break;
            case Operation::kAlltoall:
                ccl::alltoall(input, output, in / static_cast<std::size_t>(rank_count_), kFloat,
                              *comm_)
                    .wait();
                break;
        }
    }

  private:
    int rank_;
    int rank_count_;
    std::optional<ccl::communicator> comm_;
    Call call_;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*> arguments) {
    if (arguments.size() != 3) give_up("oneccl: needs a rank, the number of ranks and a folder");
    return std::make_unique<OneCcl>(std::atoi(arguments[0]), std::atoi(arguments[1]), arguments[2]);
}

}  // namespace xccl::compare
