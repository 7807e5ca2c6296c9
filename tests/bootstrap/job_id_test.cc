// Goal: all processes of a job get the same ids in the same order, by the way that their launcher
// offers; without a secret nothing but this host is joined, and the refusal says what to set.
// Method: the choice of the way is pure and fed with environments; jobs are forked processes.
// Real launchers: tests/launch/.
#include "bootstrap/job_id.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "base/owned_descriptor.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/root.h"
#include "ranks.h"
#include "trust/secret.h"
#include "trust/wait.h"

namespace xccl {
namespace {

using Environment = std::map<std::string, std::string>;

VariableLookup lookup(const Environment& environment) {
    return [&environment](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
    };
}

LaunchInfo launched_by(const char* launcher, int size = 4, int local_size = 4) {
    return {launcher, 1, size, 1, local_size};
}

// ---- The choice of the way ------------------------------------------------------------------

LauncherService service(const char* launcher, const Environment& environment) {
    return launcher_service(launched_by(launcher), lookup(environment));
}

TEST(JobWay, ServicesOfLaunchers) {
    EXPECT_EQ(service("openmpi", {}), LauncherService::kPmix);
    EXPECT_EQ(service("pmix", {}), LauncherService::kPmix);
    EXPECT_EQ(service("pmi", {{"PMI_FD", "6"}}), LauncherService::kPmi);
    EXPECT_EQ(service("pmi", {}), LauncherService::kNone);
    EXPECT_EQ(service("slurm", {{"PMIX_NAMESPACE", "slurm.pmix.3.0"}}), LauncherService::kPmix);
    EXPECT_EQ(service("slurm", {{"PMI_FD", "6"}}), LauncherService::kPmi);
    EXPECT_EQ(service("slurm", {}), LauncherService::kNone);
}

TEST(JobWay, ServicesOfLaunchersAroundThisOneAreNotAsked) {
    const Environment around{{"PMIX_NAMESPACE", "1589575681"}, {"PMIX_RANK", "0"}};
    EXPECT_EQ(service("slurm", around), LauncherService::kNone);
    EXPECT_EQ(service("torchrun", around), LauncherService::kNone);
    EXPECT_EQ(service("xccl-run", around), LauncherService::kNone);
    EXPECT_EQ(service("torchrun", {{"PMI_FD", "6"}}), LauncherService::kNone);
}

TEST(JobWay, NamesOfJobs) {
    const auto name = [](const char* launcher, const Environment& environment) {
        return job_name(launched_by(launcher), lookup(environment)).value_or("none");
    };
    EXPECT_EQ(name("openmpi", {{"PMIX_NAMESPACE", "a@1"}}), "openmpi a@1");
    EXPECT_EQ(name("openmpi", {{"OMPI_MCA_ess_base_jobid", "17"}}), "openmpi 17");
    EXPECT_EQ(name("openmpi", {}), "none");
    EXPECT_EQ(name("slurm", {{"SLURM_JOB_ID", "12"}, {"SLURM_STEP_ID", "3"}}), "slurm 12.3.");
    EXPECT_EQ(name("torchrun", {{"MASTER_ADDR", "h"},
                                {"MASTER_PORT", "29500"},
                                {"TORCHELASTIC_RUN_ID", "r"},
                                {"TORCHELASTIC_RESTART_COUNT", "2"}}),
              "torchrun 29500.h.r.2");
    EXPECT_EQ(name("torchrun", {{"MASTER_ADDR", "h"}}), "none");
    EXPECT_EQ(name("pmi", {{"PMI_JOBID", "j"}}), "pmi j");
    EXPECT_EQ(name("pmix", {{"PMIX_NAMESPACE", "n"}}), "pmix n");
    EXPECT_EQ(name("xccl-run", {{"PMIX_NAMESPACE", "n"}, {"SLURM_JOB_ID", "1"}}), "none");
}

const Environment kSlurmStep{{"SLURM_JOB_ID", "12"}, {"SLURM_STEP_ID", "3"}};

std::string place(const LaunchInfo& launch, const Config& settings,
                  const Environment& environment) {
    const auto found = job_meeting_place(launch, settings, lookup(environment));
    return found.ok() ? found->text() : found.status().text();
}

TEST(JobWay, Places) {
    Config settings;
    settings.job_id = "0123456789abcdef:" + std::string(64, 'c');
    settings.root = "host:7000";
    settings.secret = "sixteen bytes it is";
    EXPECT_EQ(place(launched_by("xccl-run"), settings, {}),
              "the socket of job xccl-run 0123456789abcdef on this host");
    EXPECT_EQ(place(launched_by("slurm"), settings, kSlurmStep),
              "the socket of job slurm 12.3. on this host");
    EXPECT_EQ(place(launched_by("slurm", 4, 2), settings, kSlurmStep), "host:7000");
    EXPECT_EQ(place(launched_by("slurm", 4, 0), settings, kSlurmStep), "host:7000");
    settings.job_id.clear();
    EXPECT_EQ(place(launched_by("xccl-run"), settings, {}), "host:7000");
}

TEST(JobWay, TheSecretIsTheOneThatWasGiven) {
    Config settings;
    settings.job_id = "0123456789abcdef:" + std::string(64, 'c');
    Secret all_c;
    all_c.fill(0xcc);
    EXPECT_EQ(job_meeting_place(launched_by("xccl-run"), settings, lookup({}))->secret(), all_c);
    settings = Config{};
    settings.root = "host:7000";
    settings.secret = "sixteen bytes it is";
    EXPECT_EQ(job_meeting_place(launched_by("xccl-run"), settings, lookup({}))->secret(),
              secret_from_text("sixteen bytes it is"));
}

TEST(JobWay, WithoutASecretOnlyLoopbackIsJoined) {
    Config settings;
    for (const char* root : {"127.0.0.1:7000", "127.8.8.8:7000", "localhost:7000", "[::1]:7000"}) {
        settings.root = root;
        EXPECT_EQ(place(launched_by("xccl-run"), settings, {}),
                  "the socket of job root :7000 on this host");
    }
    for (const char* root : {"10.0.0.1:7000", "host:7000", "localhost.evil:7000", "[::]:7000"}) {
        settings.root = root;
        const auto refused = job_meeting_place(launched_by("xccl-run"), settings, lookup({}));
        EXPECT_EQ(refused.status().code(), xcclInvalidUsage) << root;
        EXPECT_NE(refused.status().text().find("XCCL_SECRET_FILE=FILE"), std::string::npos);
    }
}

TEST(JobWay, NowhereToMeetSaysWhatToSet) {
    const std::string spans = place(launched_by("slurm", 4, 2), {}, kSlurmStep);
    EXPECT_EQ(spans.find("this job of 4 processes (started by slurm) spans hosts, as far as is "
                         "known, so they cannot find process 0: set XCCL_ROOT=HOST:PORT"),
              0U)
        << spans;
    EXPECT_NE(spans.find("XCCL_SECRET_FILE=FILE"), std::string::npos);
    EXPECT_NE(place(launched_by("pmi"), {}, {}).find("(started by pmi) has no name"),
              std::string::npos);
    EXPECT_NE(place(launched_by("xccl-run"), {}, {}).find("(started by hand)"), std::string::npos);
}

TEST(JobWay, BadSecretFilesAreRefused) {
    Config settings;
    settings.root = "host:7000";
    settings.secret_file = "/nonexistent/secret";
    EXPECT_NE(place(launched_by("xccl-run"), settings, {}).find("No such file"), std::string::npos);
}

// ---- Ids as text ----------------------------------------------------------------------------

xcclUniqueId id_of(int number) {
    xcclUniqueId id;
    std::memset(id.internal, number, sizeof id.internal);
    return id;
}

TEST(JobIdText, RoundTrip) {
    const std::string text = encode_id(id_of(0xab));
    EXPECT_EQ(text.find_first_of(" \n;="), std::string::npos);
    const auto id = decode_id(text);
    ASSERT_TRUE(id.ok());
    EXPECT_EQ(std::string(id->internal, sizeof id->internal), std::string(128, '\xab'));

    const std::string failure =
        encode_id(system_error("no network; = \n{}", std::string(5000, 'x')));
    EXPECT_EQ(failure.find_first_of(" \n;="), std::string::npos);
    EXPECT_LT(failure.size(), 1000U);
    EXPECT_EQ(decode_id(failure).status().code(), xcclSystemError);
    EXPECT_EQ(decode_id(failure).status().text().find("process 0 failed: no network; = \n"), 0U);
}

TEST(JobIdText, NonsenseIsRefused) {
    for (const char* bad : {"", "id-", "id-ab", "failure-", "failure-2", "failure-2-a",
                            "failure-0-", "failure-x-ab", "failure-22-ab", "failure-2-zz"}) {
        EXPECT_EQ(decode_id(bad).status().code(), xcclInternalError) << bad;
    }
    EXPECT_EQ(decode_id(encode_id(id_of(1)) + "0").status().code(), xcclInternalError);
}

// ---- Jobs of forked processes ---------------------------------------------------------------

// What a process asks for in turn, as text: the first byte of each id, or a failure.
std::string ask_for_ids(int count) {
    static int made = 0;
    std::string text;
    for (int i = 0; i < count; ++i) {
        const auto id = job_unique_id([] { return Result<xcclUniqueId>(id_of(++made)); });
        if (!id.ok()) return text + id.status().text();
        text += fmt::format("{} ", static_cast<int>(id->internal[0]));
    }
    return text;
}

// The output of size processes, rank r of which has environment(r).
std::vector<std::string> run_job(int size, const std::function<Environment(int)>& environment,
                                 const std::function<std::string(int)>& body) {
    std::vector<pid_t> children;
    std::vector<OwnedDescriptor> outputs;
    std::fflush(nullptr);  // once, not by every child
    for (int rank = 0; rank < size; ++rank) {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        outputs.emplace_back(ends[0]);
        const OwnedDescriptor input(ends[1]);
        children.push_back(fork());
        if (children.back() != 0) continue;
        clearenv();
        for (const auto& [name, value] : environment(rank)) setenv(name.c_str(), value.c_str(), 1);
        const std::string text = body(rank);
        std::exit(write(input.get(), text.data(), text.size()) < 0);  // as programs end
    }
    std::vector<std::string> texts;
    for (int rank = 0; rank < size; ++rank) {
        char bytes[4096];
        std::string text;
        for (;;) {
            const ssize_t count = read(outputs[rank].get(), bytes, sizeof bytes);
            if (count <= 0) break;
            text.append(bytes, static_cast<std::size_t>(count));
        }
        int status = 0;
        waitpid(children[rank], &status, 0);
        EXPECT_EQ(status, 0);
        texts.push_back(text);
    }
    return texts;
}

Environment of_rank(int rank, int size) {
    return {{"XCCL_RANK", std::to_string(rank)},
            {"XCCL_SIZE", std::to_string(size)},
            {"XCCL_INIT_TIMEOUT_MS", "20000"}};
}

std::string three_ids(int) {
    return ask_for_ids(3);
}

std::string fresh_job_id() {
    std::string bytes(40, '\0');
    random_bytes(bytes.data(), bytes.size());
    return to_hex(bytes.substr(0, 8)) + ":" + to_hex(bytes.substr(8));
}

TEST(Job, XcclRunsOwnVariable) {
    const std::string job_id = fresh_job_id();
    const auto environment = [&](int rank) {
        Environment variables = of_rank(rank, 5);
        variables["XCCL_JOB_ID"] = job_id;
        return variables;
    };
    EXPECT_EQ(run_job(5, environment, three_ids), std::vector<std::string>(5, "1 2 3 "));
}

TEST(Job, TheSocketOfAJobOfThisHost) {
    const std::string port = std::to_string(getpid());
    const auto environment = [&](int rank) -> Environment {
        return {{"RANK", std::to_string(rank)}, {"WORLD_SIZE", "3"},   {"LOCAL_WORLD_SIZE", "3"},
                {"MASTER_PORT", port},          {"MASTER_ADDR", "me"}, {"LOCAL_RANK", "0"}};
    };
    EXPECT_EQ(run_job(3, environment, three_ids), std::vector<std::string>(3, "1 2 3 "));
}

TEST(Job, RootAddressWithASecret) {
    for (const char* secret : {"", "sixteen bytes it is"}) {  // none: on loopback only
        const std::string root = fmt::format("127.0.0.1:{}", free_port());
        const auto environment = [&](int rank) {
            Environment variables = of_rank(rank, 3);
            variables["XCCL_ROOT"] = root;
            if (*secret != '\0') variables["XCCL_SECRET"] = secret;
            return variables;
        };
        EXPECT_EQ(run_job(3, environment, three_ids), std::vector<std::string>(3, "1 2 3 "));
    }
}

TEST(Job, AnotherSecretGetsNoId) {
    const std::string root = fmt::format("127.0.0.1:{}", free_port());
    const auto environment = [&](int rank) {
        Environment variables = of_rank(rank, 2);
        variables["XCCL_ROOT"] = root;
        variables["XCCL_SECRET"] = fmt::format("the secret of rank {}", rank);
        variables["XCCL_INIT_TIMEOUT_MS"] = "300";
        return variables;
    };
    const auto said = run_job(2, environment, three_ids);
    EXPECT_EQ(said[0].find("1 of 2 processes did not come"), 0U) << said[0];
    EXPECT_EQ(said[1].find("process 0 of the job was not met at " + root), 0U) << said[1];
}

TEST(Job, AFailureOfProcess0ReachesAll) {
    const std::string job_id = fresh_job_id();
    const auto environment = [&](int rank) {
        Environment variables = of_rank(rank, 3);
        variables["XCCL_JOB_ID"] = job_id;
        return variables;
    };
    const auto said = run_job(3, environment, [](int) {
        return job_unique_id([]() -> Result<xcclUniqueId> { return system_error("no network"); })
            .status()
            .text();
    });
    EXPECT_EQ(said, (std::vector<std::string>{"no network", "process 0 failed: no network",
                                              "process 0 failed: no network"}));
}

TEST(Job, TheIdLeadsToARendezvous) {
    const std::string job_id = fresh_job_id();
    const auto environment = [&](int rank) {
        Environment variables = of_rank(rank, 3);
        variables["XCCL_JOB_ID"] = job_id;
        return variables;
    };
    const auto said = run_job(3, environment, [](int rank) -> std::string {
        const Deadline deadline = Deadline::after_ms(20000);
        const auto id = job_unique_id();
        if (!id.ok()) return id.status().text();
        const auto exchange = join({&*id, 1}, rank, 3, deadline, nullptr);
        if (!exchange.ok()) return exchange.status().text();
        const auto all = (*exchange)->all_gather(fmt::format("<{}>", rank), deadline);
        if (!all.ok()) return all.status().text();
        return (*all)[0] + (*all)[1] + (*all)[2];
    });
    EXPECT_EQ(said, std::vector<std::string>(3, "<0><1><2>"));
}

TEST(Job, NobodyWaitsAtTheRendezvousOfAFailedCall) {
    const std::string job_id = fresh_job_id();
    const auto environment = [&](int rank) {
        Environment variables = of_rank(rank, 2);
        variables["XCCL_JOB_ID"] = job_id;
        variables["XCCL_INIT_TIMEOUT_MS"] = "50";
        return variables;
    };
    const auto said = run_job(1, environment, [](int) -> std::string {
        const auto id = job_unique_id();
        const Deadline patience = Deadline::after_ms(10000);
        while (live_root_count() > 0 && pause_for(1, patience, nullptr)) {
        }
        return fmt::format("{} {}", static_cast<int>(id.status().code()), live_root_count());
    });
    EXPECT_EQ(said[0], fmt::format("{} 0", static_cast<int>(xcclTimeout)));
}

TEST(Job, AProcessAloneMakesItsOwn) {
    const auto nothing = [](int) { return Environment{}; };
    EXPECT_EQ(run_job(1, nothing, three_ids)[0], "1 2 3 ");
}

TEST(Job, AForkedChildIsNotInTheJob) {
    const std::string job_id = fresh_job_id();
    const auto environment = [&](int rank) {
        Environment variables = of_rank(rank, 2);
        variables["XCCL_JOB_ID"] = job_id;
        return variables;
    };
    const auto said = run_job(2, environment, [&](int rank) {
        const std::string first = ask_for_ids(1);
        if (rank == 0) return first;
        return first + run_job(
                           1, [&](int) { return environment(1); }, three_ids)[0];
    });
    EXPECT_EQ(said[0], "1 ");
    EXPECT_EQ(said[1],
              "1 rank 1 was forked after it had asked for the job's id: the child is no process "
              "of the job");
}

}  // namespace
}  // namespace xccl
