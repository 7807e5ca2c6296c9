#include "bootstrap/job_id.h"

#include <unistd.h>

#include <cstring>
#include <mutex>
#include <string_view>

#include "bootstrap/bootstrap.h"
#include "bootstrap/directory.h"
#include "bootstrap/pmi.h"
#include "bootstrap/pmix.h"
#include "bootstrap/root.h"
#include "bootstrap/secret_file.h"
#include "observe/log.h"

namespace xccl {
namespace {

constexpr std::size_t kMaxCauseBytes = 400;  // services allow values of 1 KiB, in hex
constexpr const char* kAskForSecret =
    "give all processes the same secret: XCCL_SECRET_FILE=FILE, made for example by 'head -c 32 "
    "/dev/urandom | base64 > FILE; chmod 600 FILE', or XCCL_SECRET";

bool starts_with(const std::optional<std::string>& text, std::string_view start) {
    return text && std::string_view(*text).substr(0, start.size()) == start;
}

// ---- Names of jobs --------------------------------------------------------------------------

// The values of these variables, as far as they are set; no value unless the first is.
std::optional<std::string> joined(const VariableLookup& variable,
                                  std::initializer_list<const char*> names) {
    if (!variable(*names.begin())) return std::nullopt;
    std::string text;
    for (const char* name : names) {
        if (!text.empty()) text += '.';
        text += variable(name).value_or("");
    }
    return text;
}

bool is_loopback(const std::string& endpoint) {
    const std::string host = endpoint.substr(0, endpoint.rfind(':'));
    return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0;
}

Result<MeetingPlace> place_of_job_id(const std::string& job_id) {
    Secret secret;
    if (job_id.size() != 81 || !from_hex(job_id.substr(17), secret.data(), secret.size())) {
        return invalid_usage("XCCL_JOB_ID is malformed; leave it to xccl-run");
    }
    return MeetingPlace::on_host("xccl-run " + job_id.substr(0, 16), secret);
}

Result<std::optional<Secret>> own_secret(const Config& settings) {
    if (!settings.secret.empty()) return std::optional(secret_from_text(settings.secret));
    if (settings.secret_file.empty()) return std::optional<Secret>();
    XCCL_ASSIGN(const Secret secret, read_secret_file(settings.secret_file));
    return std::optional(secret);
}

Result<MeetingPlace> place_of_root(const Config& settings) {
    XCCL_ASSIGN(const auto secret, own_secret(settings));
    if (secret) return MeetingPlace::at_address(settings.root, *secret);
    if (!is_loopback(settings.root)) {
        return invalid_usage("XCCL_ROOT={} is not on this host alone, and there is no secret: {}",
                             settings.root, kAskForSecret);
    }
    // Everybody on this host can connect to loopback, but not to a socket that asks for the user.
    return MeetingPlace::on_host("root " + settings.root.substr(settings.root.rfind(':')));
}

// ---- Calls ----------------------------------------------------------------------------------

// This process's calls so far. Calls of several threads come one after the other.
struct Calls {
    std::mutex mutex;
    std::uint64_t number = 0;
    pid_t owner = getpid();
};

Calls& calls() {
    static auto* const one = new Calls;  // outlives threads that still wait at the end
    return *one;
}

KeyValueService* open_service(LauncherService which, int rank, Deadline deadline) {
    switch (which) {
        case LauncherService::kPmix: {
            Pmix* const pmix = Pmix::of_this_process();
            return pmix != nullptr && pmix->rank() == rank ? pmix : nullptr;
        }
        case LauncherService::kPmi:
            return Pmi::of_this_process(deadline);
        case LauncherService::kNone:
            break;
    }
    return nullptr;
}

Result<xcclUniqueId> id_from_service(KeyValueService* service, const LaunchInfo& launch,
                                     std::uint64_t number, const IdMaker& make_id,
                                     Deadline deadline) {
    const std::string mine = launch.rank == 0 ? encode_id(make_id()) : "";
    const auto found = service->from_rank_0(fmt::format("xccl-id-{}", number), mine, deadline);
    if (!found.ok()) {
        return Status(found.status().code(),
                      fmt::format("rank {} of {} did not get the job's id from process 0: {}",
                                  launch.rank, launch.size, found.status().text()));
    }
    return decode_id(*found);
}

Result<xcclUniqueId> id_at_place(const MeetingPlace& place, const LaunchInfo& launch,
                                 std::uint64_t number, const IdMaker& make_id, Deadline deadline) {
    const Visit self{number, launch.rank, launch.size};
    xcclUniqueId id;
    if (launch.rank == 0) {
        auto made = make_id();
        Result<std::string> value = made.status();
        if (made.ok()) value = std::string(made->internal, sizeof made->internal);
        XCCL_TRY(hand_out(place, self, value, deadline));
        return made;
    }
    XCCL_ASSIGN(const std::string fetched, fetch(place, self, deadline));
    if (fetched.size() != sizeof id.internal) return internal_error("process 0 sent no id");
    std::memcpy(id.internal, fetched.data(), sizeof id.internal);
    return id;
}

}  // namespace

LauncherService launcher_service(const LaunchInfo& launch, const VariableLookup& variable) {
    const bool has_pmi = variable("PMI_FD").has_value();
    if (launch.launcher == "openmpi" || launch.launcher == "pmix") return LauncherService::kPmix;
    if (launch.launcher == "pmi" && has_pmi) return LauncherService::kPmi;
    if (launch.launcher != "slurm") return LauncherService::kNone;
    // srun speaks what --mpi says; what another launcher around it speaks is not about this step.
    if (starts_with(variable("PMIX_NAMESPACE"), "slurm.")) return LauncherService::kPmix;
    return has_pmi ? LauncherService::kPmi : LauncherService::kNone;
}

std::optional<std::string> job_name(const LaunchInfo& launch, const VariableLookup& variable) {
    std::optional<std::string> name;
    if (launch.launcher == "openmpi") {
        name = joined(variable, {"PMIX_NAMESPACE"});
        if (!name) name = joined(variable, {"OMPI_MCA_ess_base_jobid"});
    } else if (launch.launcher == "torchrun") {
        name = joined(variable, {"MASTER_PORT", "MASTER_ADDR", "TORCHELASTIC_RUN_ID",
                                 "TORCHELASTIC_RESTART_COUNT"});
    } else if (launch.launcher == "slurm") {
        name = joined(variable, {"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_CLUSTER_NAME"});
    } else if (launch.launcher == "pmi") {
        name = joined(variable, {"PMI_JOBID"});
    } else if (launch.launcher == "pmix") {
        name = joined(variable, {"PMIX_NAMESPACE"});
    }
    if (!name) return std::nullopt;
    return launch.launcher + " " + *name;
}

Result<MeetingPlace> job_meeting_place(const LaunchInfo& launch, const Config& settings,
                                       const VariableLookup& variable) {
    if (launch.launcher == "xccl-run" && !settings.job_id.empty()) {
        return place_of_job_id(settings.job_id);
    }
    const auto name = job_name(launch, variable);
    if (name && launch.local_size == launch.size) return MeetingPlace::on_host(*name);
    if (!settings.root.empty()) return place_of_root(settings);
    const char* const problem =
        launch.local_size != launch.size ? "spans hosts, as far as is known" : "has no name";
    return invalid_usage(
        "this job of {} processes (started by {}) {}, so they cannot find process 0: set "
        "XCCL_ROOT=HOST:PORT to an address of process 0's host and a free port, and {}",
        launch.size, launch.launcher == "xccl-run" ? "hand" : launch.launcher, problem,
        kAskForSecret);
}

std::string encode_id(const Result<xcclUniqueId>& id) {
    if (id.ok()) return "id-" + to_hex({id->internal, sizeof id->internal});
    return fmt::format("failure-{}-{}", static_cast<int>(id.status().code()),
                       to_hex(id.status().text().substr(0, kMaxCauseBytes)));
}

Result<xcclUniqueId> decode_id(const std::string& text) {
    xcclUniqueId id;
    if (text.rfind("id-", 0) == 0 && from_hex(text.substr(3), id.internal, sizeof id.internal)) {
        return id;
    }
    const std::string_view start = "failure-";
    const std::size_t dash = text.find('-', start.size());
    if (text.rfind(start, 0) == 0 && dash == start.size() + 1) {
        std::string cause((text.size() - dash - 1) / 2, '\0');
        const int code = text[start.size()] - '0';
        if (code > 0 && code < xcclNumResults &&
            from_hex(text.substr(dash + 1), cause.data(), cause.size())) {
            return Status(static_cast<xcclResult_t>(code), "process 0 failed: " + cause);
        }
    }
    return internal_error("the launcher's key-value service returned no id of xccl");
}

Result<xcclUniqueId> job_unique_id(const IdMaker& make_id) {
    XCCL_ASSIGN(const Config settings, load_config());
    XCCL_ASSIGN(const LaunchInfo launch, detect_launch());
    if (launch.size == 1) return make_id();
    Calls& mine = calls();
    const std::lock_guard lock(mine.mutex);
    if (mine.owner != getpid()) {
        return invalid_usage(
            "rank {} was forked after it had asked for the job's id: the child is no process of "
            "the job",
            launch.rank);
    }
    const std::uint64_t number = mine.number++;  // failed calls count, as they do elsewhere
    const Deadline deadline = Deadline::after_ms(settings.init_timeout_ms);
    const LauncherService which = launcher_service(launch, environment_variable);
    if (KeyValueService* const service = open_service(which, launch.rank, deadline)) {
        log(LogLevel::kDebug, launch.rank, launch.size, "bootstrap", "id {} of the job comes by {}",
            number, which == LauncherService::kPmix ? "PMIx" : "PMI");
        return id_from_service(service, launch, number, make_id, deadline);
    }
    XCCL_ASSIGN(const MeetingPlace place,
                job_meeting_place(launch, settings, environment_variable));
    log(LogLevel::kDebug, launch.rank, launch.size, "bootstrap", "id {} of the job comes by {}",
        number, place.text());
    return id_at_place(place, launch, number, make_id, deadline);
}

Result<xcclUniqueId> job_unique_id() {
    std::optional<xcclUniqueId> made;
    auto id = job_unique_id([&made] {
        auto root = create_root();
        if (root.ok()) made = *root;
        return root;
    });
    if (!id.ok() && made) end_root(*made);  // nobody will come
    return id;
}

}  // namespace xccl
