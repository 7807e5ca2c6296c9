// Goal: the variables of nccl-tests work by their own and by our names, slips are told of, and no
// secret is reported. Method: environments by hand.
#include "options/environment.h"

#include <gtest/gtest.h>

#include "failure.h"

namespace xccl::perf {
namespace {

using Entries = std::vector<std::string_view>;

TEST(Environment, BothPrefixesAreReadAndOursWins) {
    EXPECT_EQ(parse_environment(Entries{"NCCL_TESTS_DEVICE=3"}).first_device, 3);
    EXPECT_EQ(parse_environment(Entries{"NCCL_TESTS_DEVICE=3", "XCCL_TESTS_DEVICE=5"}).first_device,
              5);
    EXPECT_EQ(parse_environment(Entries{"PATH=/bin"}).first_device, -1);
    EXPECT_DOUBLE_EQ(parse_environment(Entries{"NCCL_TESTS_MIN_BW=1.5"}).least_bandwidth, 1.5);
    const EnvironmentSettings settings = parse_environment(
        Entries{"NCCL_TESTS_ALLTOALLV_SPREAD=0.25", "NCCL_TESTS_ALLTOALLV_MATRIX_FILE=m.txt",
                "NCCL_TESTS_ALLTOALLV_MATRIX_SCALE=2", "NCCL_TESTS_ALLTOALLV_PRINT_SUMMARY=1"});
    EXPECT_DOUBLE_EQ(settings.spread, 0.25);
    EXPECT_EQ(settings.matrix_path, "m.txt");
    EXPECT_DOUBLE_EQ(settings.matrix_scale, 2);
    EXPECT_TRUE(settings.traffic_summary);
    EXPECT_EQ(parse_environment(Entries{"XCCL_TESTS_MEMORY=2M"}).memory_bytes, 2u << 20);
    const auto damage = parse_environment(Entries{"XCCL_TESTS_CORRUPT=2:7"}).damage;
    ASSERT_TRUE(damage);
    EXPECT_EQ(damage->rank, 2);
    EXPECT_EQ(damage->index, 7u);
}

TEST(Environment, SplitRules) {
    EXPECT_EQ(parse_split("MOD 2")->color(5), 1);
    EXPECT_EQ(parse_split("% 2")->color(4), 0);
    EXPECT_EQ(parse_split("div 4")->color(7), 1);
    EXPECT_EQ(parse_split("/4")->color(7), 1);
    EXPECT_EQ(parse_split("AND 0x3")->color(6), 2);
    EXPECT_EQ(parse_split("& 0b101")->color(7), 5);
    EXPECT_EQ(parse_split("OR 8")->color(1), 9);
    EXPECT_EQ(parse_split("| 8")->color(1), 9);
    for (const char* text : {"", "MOD", "MOD 0", "/ 0", "XOR 2", "2", "MOD x", "& 0x", "MOD 2 3"}) {
        EXPECT_FALSE(parse_split(text)) << text;
    }
    // The mask takes precedence.
    const EnvironmentSettings settings =
        parse_environment(Entries{"NCCL_TESTS_SPLIT=MOD 2", "NCCL_TESTS_SPLIT_MASK=4"});
    EXPECT_EQ(settings.split->color(5), 4);
}

TEST(Environment, MalformedValuesAreRefusedByName) {
    for (const char* entry :
         {"XCCL_TESTS_DEVICE=first", "NCCL_TESTS_SPLIT_MASK=zz", "NCCL_TESTS_SPLIT=MOD 0",
          "NCCL_TESTS_MIN_BW=fast", "NCCL_TESTS_ALLTOALLV_SPREAD=1.1",
          "NCCL_TESTS_ALLTOALLV_MATRIX_SCALE=-1", "XCCL_TESTS_CORRUPT=1",
          "XCCL_TESTS_MEMORY=much"}) {
        try {
            parse_environment(Entries{entry});
            ADD_FAILURE() << entry << " was accepted";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.code(), ExitCode::kInvalidUsage);
            const std::string_view name =
                std::string_view(entry).substr(0, std::string_view(entry).find('='));
            EXPECT_NE(std::string_view(failure.what()).find(name), std::string_view::npos);
        }
    }
}

TEST(Environment, AMisspeltNameOfOursIsAnsweredWithTheNearest) {
    const EnvironmentSettings settings = parse_environment(Entries{"XCCL_TESTS_MIN_BV=1"});
    ASSERT_EQ(settings.warnings.size(), 1u);
    EXPECT_NE(settings.warnings[0].find("XCCL_TESTS_MIN_BW"), std::string::npos);
    EXPECT_EQ(settings.least_bandwidth, 0);
}

TEST(Environment, ReportsShowOurVariablesAndNoSecret) {
    const std::vector<std::string> shown = reportable(
        Entries{"HOME=/x", "XCCL_DEBUG=info", "NCCL_DEBUG=warn", "OMPI_COMM_WORLD_RANK=0",
                "XCCL_SECRET=s", "XCCL_SECRET_FILE=f", "XCCL_JOB_ID=name:secret", "AWS_KEY=k",
                "OMPI_MCA_orte_precondition_transports=secret"});
    EXPECT_EQ(shown, (std::vector<std::string>{"XCCL_DEBUG=info", "NCCL_DEBUG=warn",
                                               "OMPI_COMM_WORLD_RANK=0"}));
}

}  // namespace
}  // namespace xccl::perf
