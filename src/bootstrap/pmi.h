// The key-value service of launchers that speak PMI over an inherited connection: MPICH's mpirun
// (version 1) and srun --mpi=pmi2 (version 2).
#pragma once

#include <memory>
#include <string>

#include "bootstrap/key_value_service.h"
#include "bootstrap/pmi_wire.h"

namespace xccl {

class Pmi : public KeyValueService {
  public:
    struct Setting {
        int socket = -1;  // PMI_FD
        int rank = 0;
        std::string job;      // PMI_JOBID: only version 2's launchers give one
        bool shared = false;  // an MPI library has introduced this process, and will say goodbye
    };

    // The process's connection: introduced by the first call, and said goodbye to when the process
    // ends. Thread-safe. Null: no launcher that speaks PMI, or it refused, or
    // an MPI library in this process has said goodbye already.
    static Pmi* of_this_process(Deadline deadline);

    // Introduces this process.
    static Result<std::unique_ptr<Pmi>> open(const Setting& setting, Deadline deadline);

    Result<std::string> from_rank_0(const std::string& key, const std::string& value,
                                    Deadline deadline) override;
    // Without it, the launcher takes the end of this process for a crash.
    Status say_goodbye(Deadline deadline);

  private:
    explicit Pmi(const Setting& setting) : setting_(setting) {}
    Status introduce(Deadline deadline);
    Result<PmiMessage> ask(const PmiMessage& request, const char* answer, Deadline deadline);
    Result<PmiMessage> receive(Deadline deadline);
    Status send_all(const std::string& bytes, Deadline deadline);

    const Setting setting_;
    PmiVersion version_ = PmiVersion::kOne;
    std::string space_;     // the name of the key-value space, in version 1
    std::string received_;  // not taken yet
    Status broken_;         // once an answer is missing, the next one would be taken for it
};

}  // namespace xccl
