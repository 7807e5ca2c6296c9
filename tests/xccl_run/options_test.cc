// Goal: options before the program are ours and read strictly, everything after is the program's,
// and mistakes are named. Method: the parser is fed with command lines.
#include "xccl_run/options.h"

#include <gtest/gtest.h>

namespace xccl::run {
namespace {

using Words = std::vector<std::string>;

Options parsed(const Words& words) {
    const auto options = parse_options(words);
    EXPECT_TRUE(options.ok()) << options.status().text();
    return options.ok() ? *options : Options{};
}

std::string refused(const Words& words) {
    const auto options = parse_options(words);
    EXPECT_FALSE(options.ok());
    EXPECT_EQ(options.status().code(), xcclInvalidArgument);
    return options.status().text();
}

TEST(RunOptions, TheProgramAndWhatFollowsIt) {
    EXPECT_EQ(parsed({"-n", "4", "prog"}).ranks, 4);
    EXPECT_EQ(parsed({"-n4", "prog", "-n", "5", "--prefix"}).command,
              (Words{"prog", "-n", "5", "--prefix"}));
    EXPECT_FALSE(parsed({"-n4", "prog", "--prefix"}).prefix);
    EXPECT_EQ(parsed({"--ranks=4", "prog", "--", "--", "-x"}).command,
              (Words{"prog", "--", "--", "-x"}));
    EXPECT_EQ(parsed({"-n", "4", "prog", ""}).command, (Words{"prog", ""}));
}

TEST(RunOptions, DashesEndOurOptions) {
    EXPECT_EQ(parsed({"-n", "4", "--", "--odd-name", "-n"}).command, (Words{"--odd-name", "-n"}));
    EXPECT_EQ(parsed({"-n", "4", "--", "prog", "--", "x"}).command, (Words{"prog", "--", "x"}));
}

TEST(RunOptions, Defaults) {
    const Options options = parsed({"-n", "1", "prog"});
    EXPECT_FALSE(options.prefix);
    EXPECT_FALSE(options.bind);
    EXPECT_EQ(options.timeout_s, 0);
    EXPECT_EQ(options.grace_s, 5);
}

TEST(RunOptions, All) {
    const Options options =
        parsed({"--bind", "--timeout", "1.5", "--grace=0", "-n", "1024", "--prefix", "prog"});
    EXPECT_EQ(options.ranks, 1024);
    EXPECT_TRUE(options.prefix);
    EXPECT_TRUE(options.bind);
    EXPECT_EQ(options.timeout_s, 1.5);
    EXPECT_EQ(options.grace_s, 0);
}

TEST(RunOptions, UnknownOptionsAreNamedWithTheNearest) {
    EXPECT_EQ(refused({"--prefx", "-n", "2", "prog"}),
              "unknown option --prefx; did you mean --prefix? (options of the program follow its "
              "name)");
    EXPECT_EQ(refused({"-n", "2", "--timout=3", "prog"}),
              "unknown option --timout; did you mean --timeout? (options of the program follow its "
              "name)");
    EXPECT_EQ(refused({"--carrier-pigeon"}),
              "unknown option --carrier-pigeon (options of the program follow its name)");
    EXPECT_EQ(refused({"-n", "2", "-z", "prog"}).substr(0, 17), "unknown option -z");
}

TEST(RunOptions, Numbers) {
    for (const char* bad : {"0", "-1", "1025", "2x", " 2", "2 ", "0x2", "1e1", "2.0", "", "+2",
                            "99999999999999999999"}) {
        const std::string text = refused({"-n", bad, "prog"});
        EXPECT_NE(text.find("is not a whole number from 1 to 1024"), std::string::npos)
            << bad << ": " << text;
    }
    for (const char* bad : {"0", "-1", "nan", "inf", "1s", "1e9"}) {
        const std::string text = refused({"-n", "1", "--timeout", bad, "prog"});
        EXPECT_NE(text.find("is not a number from 0.001"), std::string::npos)
            << bad << ": " << text;
    }
}

TEST(RunOptions, WhatIsMissingIsNamed) {
    EXPECT_EQ(refused({"prog"}), "--ranks is required");
    EXPECT_EQ(refused({}), "--ranks is required");
    EXPECT_EQ(refused({"-n", "2"}), "which program is to be run?");
    EXPECT_EQ(refused({"-n", "2", "--"}), "which program is to be run?");
    EXPECT_EQ(refused({"-n", "2", ""}), "the program's name is empty");
    EXPECT_NE(refused({"-n"}).find("--ranks"), std::string::npos);
}

TEST(RunOptions, HelpAndVersion) {
    EXPECT_NE(parsed({"--help"}).text.find("Usage: xccl-run -n N"), std::string::npos);
    EXPECT_NE(parsed({"-h"}).text.find("--grace"), std::string::npos);
    EXPECT_EQ(parsed({"--version"}).text.find("xccl-run "), 0U);
    EXPECT_TRUE(parsed({"--help"}).command.empty());
}

}  // namespace
}  // namespace xccl::run
