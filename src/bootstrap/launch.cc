#include "bootstrap/launch.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/config.h"
#include "base/limits.h"
#include "base/text.h"
#include "bootstrap/mpi_library.h"
#include "bootstrap/pmix.h"

namespace xccl {
namespace {

// Names of variables; null: the launcher has none for it.
struct Family {
    const char* launcher;
    const char* rank;
    const char* size;
    const char* local_rank;
    const char* local_size;
};

constexpr Family kXccl{"xccl-run", "XCCL_RANK", "XCCL_SIZE", "XCCL_LOCAL_RANK", "XCCL_LOCAL_SIZE"};
constexpr Family kOpenMpi{"openmpi", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                          "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};
constexpr Family kTorchrun{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
constexpr Family kSlurm{"slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", nullptr};
constexpr Family kPmi{"pmi", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};

// Slurm numbers what is no step of srun's (batch script, interactive shell, ...) from here on.
constexpr std::int64_t kFirstSpecialSlurmStep = 0xfffffff0;

Status read_number(const char* name, const std::string& text, int low, int* value) {
    const auto number = whole_number(text);
    if (!number || *number < low || *number > kMaxRanks) {
        return invalid_argument("{} is \"{}\"; it must be a whole number from {} to {}", name,
                                printable(text), low, kMaxRanks);
    }
    *value = static_cast<int>(*number);
    return ok_status();
}

Status read_optional(const char* name, const VariableLookup& variable, int low, int* value) {
    const auto text = name != nullptr ? variable(name) : std::nullopt;
    return text ? read_number(name, *text, low, value) : ok_status();
}

Status check_order(const char* rank_name, int rank, const char* size_name, int size) {
    if (rank < size) return ok_status();
    return invalid_argument("{} is {} and {} is {}: ranks are counted from 0", rank_name, rank,
                            size_name, size);
}

bool names_both(const Family& family, const VariableLookup& variable) {
    return variable(family.rank).has_value() && variable(family.size).has_value();
}

Result<LaunchInfo> read_family(const Family& family, const VariableLookup& variable) {
    LaunchInfo info{family.launcher, 0, 1, 0, 0};
    XCCL_TRY(read_number(family.rank, *variable(family.rank), 0, &info.rank));
    XCCL_TRY(read_number(family.size, *variable(family.size), 1, &info.size));
    XCCL_TRY(check_order(family.rank, info.rank, family.size, info.size));
    XCCL_TRY(read_optional(family.local_rank, variable, 0, &info.local_rank));
    XCCL_TRY(read_optional(family.local_size, variable, 1, &info.local_size));
    if (info.local_size > 0) {
        XCCL_TRY(
            check_order(family.local_rank, info.local_rank, family.local_size, info.local_size));
    }
    if (info.size == 1) info.local_size = 1;
    return info;
}

// ---- Slurm ----------------------------------------------------------------------------------

bool in_slurm_step(const VariableLookup& variable) {
    const auto text = variable("SLURM_STEP_ID");
    const auto step = text ? whole_number(*text) : std::nullopt;
    return step && *step >= 0 && *step < kFirstSpecialSlurmStep;
}

// A launcher in an allocation may start its own helpers with srun; its processes then have that
// step's numbers, beside their own.
bool slurm_started_another_launcher(const VariableLookup& variable) {
    if (names_both(kPmi, variable)) {
        return variable(kPmi.rank) != variable(kSlurm.rank) ||
               variable(kPmi.size) != variable(kSlurm.size);
    }
    const auto pmix = variable("PMIX_NAMESPACE");
    return pmix && pmix->rfind("slurm.", 0) != 0;
}

Result<LaunchInfo> read_slurm(const VariableLookup& variable) {
    XCCL_ASSIGN(LaunchInfo info, read_family(kSlurm, variable));
    int nodes = 0;
    int node = 0;
    XCCL_TRY(read_optional("SLURM_STEP_NUM_NODES", variable, 1, &nodes));
    XCCL_TRY(read_optional("SLURM_NODEID", variable, 0, &node));
    if (nodes == 1) {
        info.local_size = info.size;
    } else if (const auto tasks = variable("SLURM_STEP_TASKS_PER_NODE")) {
        info.local_size = std::min(slurm_tasks_on_node(*tasks, node), info.size);
    }
    return info;
}

// ---- PMIx -----------------------------------------------------------------------------------

Result<LaunchInfo> read_pmix(const std::string& rank_text, const PmixStanding& standing) {
    LaunchInfo info{"pmix", 0, standing.size, standing.local_rank, standing.local_size};
    XCCL_TRY(read_number("PMIX_RANK", rank_text, 0, &info.rank));
    XCCL_TRY(check_order("PMIX_RANK", info.rank, "the size of the job", info.size));
    return info;
}

// ---- The environment of this process --------------------------------------------------------

bool is_socket(const std::string& descriptor) {
    struct stat status {};
    const auto number = whole_number(descriptor);
    return number && *number >= 0 && *number <= INT32_MAX &&
           fstat(static_cast<int>(*number), &status) == 0 && S_ISSOCK(status.st_mode);
}

// Children of a rank inherit PMI_FD, but seldom the connection. (An MPI library that has ended in
// this process has closed it too.)
std::optional<std::string> own_variable(const char* name) {
    if (std::string_view(name).substr(0, 4) == "PMI_") {
        const auto descriptor = environment_variable("PMI_FD");
        const bool leaked = descriptor && !is_socket(*descriptor);
        if (leaked && mpi_state() != MpiState::kFinalized) return std::nullopt;
    }
    return environment_variable(name);
}

}  // namespace

int slurm_tasks_on_node(const std::string& tasks_per_node, int node) {
    std::string_view rest = tasks_per_node;
    std::int64_t first = 0;  // the first node that the next part speaks of
    while (!rest.empty()) {
        const std::string_view part = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        const std::size_t times = part.find("(x");
        const auto tasks = whole_number(part.substr(0, times));
        std::optional<std::int64_t> repeat = 1;
        if (times != std::string_view::npos) {
            if (part.back() != ')') return 0;
            repeat = whole_number(part.substr(times + 2, part.size() - times - 3));
        }
        if (!tasks || !repeat || *tasks < 0 || *tasks > kMaxRanks) return 0;
        if (*repeat < 1 || *repeat > kMaxRanks) return 0;
        first += *repeat;
        if (node < first) return static_cast<int>(*tasks);
    }
    return 0;
}

Result<LaunchInfo> detect_launch(const VariableLookup& variable, const PmixQuery& ask_pmix) {
    for (const Family& family : {kXccl, kOpenMpi, kTorchrun}) {
        if (names_both(family, variable)) return read_family(family, variable);
    }
    if (names_both(kSlurm, variable) && in_slurm_step(variable) &&
        !slurm_started_another_launcher(variable)) {
        return read_slurm(variable);
    }
    if (names_both(kPmi, variable)) return read_family(kPmi, variable);
    if (const auto rank = variable("PMIX_RANK")) {
        if (const auto standing = ask_pmix()) return read_pmix(*rank, *standing);
    }
    return LaunchInfo{};
}

Result<LaunchInfo> detect_launch() {
    XCCL_TRY(load_config());  // says what is wrong with an XCCL_ variable in its own words
    return detect_launch(own_variable, [] {
        Pmix* const pmix = Pmix::of_this_process();
        return pmix != nullptr ? pmix->standing() : std::nullopt;
    });
}

}  // namespace xccl
