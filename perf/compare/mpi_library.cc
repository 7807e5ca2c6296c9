// An MPI library as a rival. Built once for each binary interface of MPI, Open MPI's and MPICH's;
// whose library it runs with, and over which transport, its launch says.
#include <mpi.h>

#include <algorithm>

#include "library.h"

namespace xccl::compare {
namespace {

class Mpi final : public Library {
  public:
    Mpi() {
        MPI_Init(nullptr, nullptr);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &rank_count_);
    }
    Mpi(const Mpi&) = delete;
    Mpi& operator=(const Mpi&) = delete;
    Mpi(Mpi&&) = delete;
    Mpi& operator=(Mpi&&) = delete;
    ~Mpi() override { MPI_Finalize(); }

    int rank() const override { return rank_; }
    int rank_count() const override { return rank_count_; }
    std::string description() const override {
        char text[MPI_MAX_LIBRARY_VERSION_STRING];
        int length = 0;
        MPI_Get_library_version(text, &length);
        std::string version(text, static_cast<std::size_t>(length));
        version.erase(std::min(version.find_first_of(",\n"), version.size()));
        std::replace(version.begin(), version.end(), '\t', ' ');
        return version;
    }

    void* allocate(std::size_t bytes, Pages pages) override {
        if (pages == Pages::kOrdinary) return Library::allocate(bytes, pages);
        void* memory = nullptr;
        if (MPI_Alloc_mem(static_cast<MPI_Aint>(bytes), MPI_INFO_NULL, &memory) != MPI_SUCCESS) {
            give_up("MPI_Alloc_mem has no " + std::to_string(bytes) + " bytes");
        }
        return memory;
    }
    void free(void* memory, std::size_t bytes, Pages pages) override {
        if (pages == Pages::kOrdinary) {
            Library::free(memory, bytes, pages);
        } else {
            MPI_Free_mem(memory);
        }
    }

    bool prepare(const Call& call) override {
        operation_ = call.operation;
        input_ = call.in_place() ? MPI_IN_PLACE : call.input.data();
        output_ = call.output.data();
        input_count_ = static_cast<int>(call.input.size());
        output_count_ = static_cast<int>(call.output.size());
        return true;
    }
    // An error ends the job: that is what communicators do unless they are told otherwise.
    void run() override {
        const int block = input_count_ / rank_count_;
        switch (operation_) {
            case Operation::kAllReduce:
                MPI_Allreduce(input_, output_, output_count_, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
                break;
            case Operation::kAllGather:
                MPI_Allgather(input_, input_count_, MPI_FLOAT, output_, input_count_, MPI_FLOAT,
                              MPI_COMM_WORLD);
                break;
            case Operation::kReduceScatter:
                MPI_Reduce_scatter_block(input_, output_, output_count_, MPI_FLOAT, MPI_SUM,
                                         MPI_COMM_WORLD);
                break;
            case Operation::kBroadcast:
                MPI_Bcast(output_, output_count_, MPI_FLOAT, 0, MPI_COMM_WORLD);
                break;
            case Operation::kAlltoall:
                MPI_Alltoall(input_, block, MPI_FLOAT, output_, block, MPI_FLOAT, MPI_COMM_WORLD);
                break;
        }
    }

  private:
    int rank_ = 0;
    int rank_count_ = 0;
    Operation operation_ = Operation::kAllReduce;
    const void* input_ = nullptr;
    float* output_ = nullptr;
    int input_count_ = 0;
    int output_count_ = 0;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*>) {
    return std::make_unique<Mpi>();
}

}  // namespace xccl::compare
