// Goal: every setting is read strictly, mistakes are named with what would be right, and nothing
// secret is printed. Method: the parser is pure, so it is fed environments directly.
#include "base/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <thread>

namespace xccl {
namespace {

using Environment = std::vector<EnvironmentEntry>;

struct Parsed {
    Result<Config> config;
    std::vector<std::string> warnings;
};

Parsed parse(const Environment& environment) {
    Parsed parsed{Config{}, {}};
    parsed.config = parse_config(environment, &parsed.warnings);
    return parsed;
}

std::string failure_of(const char* name, const std::string& value) {
    const Parsed parsed = parse({{name, value}});
    EXPECT_FALSE(parsed.config.ok()) << name << "=" << value;
    EXPECT_EQ(parsed.config.status().code(), xcclInvalidArgument);
    return parsed.config.status().text();
}

TEST(Config, NothingSetGivesTheDefaults) {
    const Parsed parsed = parse({{"PATH", "/bin"}, {"HOME", "/root"}});
    ASSERT_TRUE(parsed.config.ok());
    EXPECT_TRUE(parsed.warnings.empty());
    const Config& config = parsed.config.value();
    EXPECT_EQ(config.debug, "warn");
    EXPECT_EQ(config.timeout_ms, 0);
    EXPECT_EQ(config.init_timeout_ms, 60000);
    EXPECT_FALSE(config.reproducible);
    EXPECT_TRUE(config.mismatch_check);
    EXPECT_EQ(config.rank, -1);
    EXPECT_EQ(config.size, 0);
}

TEST(Config, ReadsEachKindOfValue) {
    const std::string job = "0123456789abcdef:" + std::string(64, 'f');
    const Parsed parsed = parse({{"XCCL_TIMEOUT_MS", "1500"},
                                 {"XCCL_REPRODUCIBLE", "1"},
                                 {"XCCL_TRANSPORT", "TCP"},
                                 {"XCCL_SLOT_BYTES", "64K"},
                                 {"XCCL_ROOT", "[::1]:7000"},
                                 {"XCCL_SOCKET_IFNAME", "^docker,lo"},
                                 {"XCCL_JOB_ID", job},
                                 {"XCCL_SECRET", "sixteen bytes it is"}});
    ASSERT_TRUE(parsed.config.ok()) << parsed.config.status().text();
    EXPECT_TRUE(parsed.warnings.empty());
    const Config& config = parsed.config.value();
    EXPECT_EQ(config.timeout_ms, 1500);
    EXPECT_TRUE(config.reproducible);
    EXPECT_EQ(config.transport, "tcp");
    EXPECT_EQ(config.slot_bytes, 65536);
    EXPECT_EQ(config.root, "[::1]:7000");
    EXPECT_EQ(config.socket_ifname, "^docker,lo");
    EXPECT_EQ(config.job_id, job);
}

TEST(Config, MalformedValuesNameVariableValueAndWhatIsAccepted) {
    const std::string text = failure_of("XCCL_TCP_STREAMS", "seventeen");
    EXPECT_EQ(text, "XCCL_TCP_STREAMS is \"seventeen\"; it must be a whole number from 1 to 16");
    EXPECT_EQ(failure_of("XCCL_TRANSPORT", "carrier-pigeon"),
              "XCCL_TRANSPORT is \"carrier-pigeon\"; it must be one of auto, shm, tcp");
}

TEST(Config, StrictnessOfNumbers) {
    for (const char* bad :
         {"17", "0", "-1", " 2", "2 ", "2x", "0x2", "2.0", "+2", "1e1", "99999999999999999999"}) {
        failure_of("XCCL_TCP_STREAMS", bad);
    }
    for (const char* bad : {"1K", "K", "128G", "-1K", "9223372036854775807G", "64KB", "4095"}) {
        failure_of("XCCL_SLOT_BYTES", bad);
    }
    for (const char* bad : {"yes", "true", "2", "-1"}) failure_of("XCCL_REPRODUCIBLE", bad);
    for (const char* bad :
         {"host", "host:", ":7", "host:0", "host:65536", "::1:7", "a b:7", "[]:7"})
        failure_of("XCCL_ROOT", bad);
    EXPECT_TRUE(parse({{"XCCL_SLOT_BYTES", "0"}}).config.ok());
}

TEST(Config, SecretsAreNeverPrinted) {
    EXPECT_EQ(failure_of("XCCL_SECRET", "hunter2"),
              "XCCL_SECRET has 7 bytes; it must be text of 16 to 4096 bytes");
    EXPECT_EQ(failure_of("XCCL_JOB_ID", "hunter2hunter2").find("hunter2"), std::string::npos);
    Config config;
    config.secret = "correct horse battery";
    config.job_id = "0123456789abcdef:" + std::string(64, 'e');
    const std::string text = config_text(config);
    EXPECT_EQ(text.find("horse"), std::string::npos);
    EXPECT_EQ(text.find("eeee"), std::string::npos);
    EXPECT_NE(text.find("XCCL_SECRET=(hidden)\n"), std::string::npos);
}

TEST(Config, ControlCharactersAndLongValuesAreTamed) {
    const std::string text = failure_of("XCCL_LANES", "\x1b[2J" + std::string(5000, 'x'));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_LT(text.size(), 200u);
}

TEST(Config, UnknownNamesAreOfferedTheNearest) {
    const Parsed parsed = parse({{"XCCL_TIMEOUTMS", "1"},
                                 {"XCCL_BANANA_PEELER", "1"},
                                 {"XCCL_TESTS_SPLIT", "1"},
                                 {"NCCL_P2P_DISABLE", "1"}});
    ASSERT_TRUE(parsed.config.ok());
    ASSERT_EQ(parsed.warnings.size(), 2u);
    EXPECT_EQ(parsed.warnings[0],
              "XCCL_TIMEOUTMS is not a setting of xccl; did you mean XCCL_TIMEOUT_MS?");
    EXPECT_EQ(parsed.warnings[1], "XCCL_BANANA_PEELER is not a setting of xccl");
}

TEST(Config, NcclsVariablesAreFallBacks) {
    Parsed parsed = parse({{"NCCL_DEBUG", "VERSION"},
                           {"NCCL_SOCKET_IFNAME", "=ib0"},
                           {"NCCL_COMM_ID", "node0:5000"}});
    ASSERT_TRUE(parsed.config.ok());
    EXPECT_EQ(parsed.config->debug, "warn");
    EXPECT_EQ(parsed.config->socket_ifname, "=ib0");
    EXPECT_EQ(parsed.config->root, "node0:5000");

    parsed = parse({{"NCCL_DEBUG", "INFO"}, {"XCCL_DEBUG", "trace"}});
    EXPECT_EQ(parsed.config->debug, "trace");

    parsed = parse({{"NCCL_COMM_ID", "nonsense"}});
    EXPECT_TRUE(parsed.config.ok());
    ASSERT_EQ(parsed.warnings.size(), 1u);
    EXPECT_NE(parsed.warnings[0].find("NCCL_COMM_ID"), std::string::npos);
}

TEST(Config, DocumentationHasARowForEverySetting) {
    const std::string page = config_markdown();
    const std::string values = config_text(Config{});
    EXPECT_NE(page.find("| `XCCL_TCP_STREAMS` | `2` | a whole number from 1 to 16 | "),
              std::string::npos);
    EXPECT_NE(page.find("| `XCCL_RANK` | not set | "), std::string::npos);
    std::size_t rows = 0;
    for (std::size_t at = 0; (at = page.find("\n| `XCCL_", at)) != std::string::npos; ++at) ++rows;
    std::size_t lines = 0;
    for (char c : values) lines += c == '\n';
    EXPECT_EQ(rows, lines);
    EXPECT_GE(rows, 25u);
}

TEST(Config, RandomEnvironmentsNeverBreakTheParser) {
    std::mt19937 random(1);
    const std::string alphabet = "XCCL_RANKSIZE=:[]0123456789abcdefKMG^,-\n\x01\xff";
    const auto word = [&](std::size_t longest) {
        std::string text(random() % (longest + 1), ' ');
        for (char& c : text) c = alphabet[random() % alphabet.size()];
        return text;
    };
    const std::vector<std::string> names = {"XCCL_ROOT", "XCCL_SLOT_BYTES", "XCCL_JOB_ID",
                                            "XCCL_DEBUG", "NCCL_COMM_ID"};
    for (int i = 0; i < 20000; ++i) {
        const Parsed parsed =
            parse({{names[random() % names.size()], word(90)}, {"XCCL_" + word(20), word(5)}});
        if (!parsed.config.ok()) {
            EXPECT_EQ(parsed.config.status().code(), xcclInvalidArgument);
        } else {
            EXPECT_GE(parsed.config.value().slot_bytes, 0);
        }
    }
}

TEST(Config, LoadedOnceForAllThreads) {
    std::vector<const Config*> seen(4);
    std::vector<std::thread> threads;
    for (auto& slot : seen) threads.emplace_back([&slot] { slot = &config(); });
    for (auto& thread : threads) thread.join();
    for (const Config* each : seen) EXPECT_EQ(each, seen[0]);
    EXPECT_TRUE(load_config().ok());
}

TEST(Config, EnvironmentVariableOfOthers) {
    ::setenv("BORROWED_NAME", "value", 1);
    EXPECT_EQ(environment_variable("BORROWED_NAME"), "value");
    ::setenv("BORROWED_NAME", "", 1);
    EXPECT_EQ(environment_variable("BORROWED_NAME"), std::nullopt);
    ::unsetenv("BORROWED_NAME");
    EXPECT_EQ(environment_variable("BORROWED_NAME"), std::nullopt);
}

}  // namespace
}  // namespace xccl
