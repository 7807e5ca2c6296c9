// An MPI library as a rival: MPI_Allreduce, out of place. Built once for each binary interface of
// MPI, Open MPI's and MPICH's; whose library it runs with, and over which transport, its launch
// says.
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

    bool prepare(std::span<const float> input, std::span<float> output,
                 const std::string&) override {
        input_ = input.data();
        output_ = output.data();
        count_ = static_cast<int>(output.size());
        return true;
    }
    void all_reduce() override {
        MPI_Allreduce(input_, output_, count_, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    }

  private:
    int rank_ = 0;
    int rank_count_ = 0;
    const float* input_ = nullptr;
    float* output_ = nullptr;
    int count_ = 0;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*>) {
    return std::make_unique<Mpi>();
}

}  // namespace xccl::compare
