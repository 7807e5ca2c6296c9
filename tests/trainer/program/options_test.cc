// Goal: every wrong command line gives one line that names the option and what would do.
#include "program/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "program/failure.h"

namespace xccl::trainer {
namespace {

std::optional<Options> parsed(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "xccl-train");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

template <typename Action>
std::string refusal(const Action& action) {
    try {
        action();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), kBadUsage);
        const std::string text = failure.what();
        EXPECT_EQ(text.find('\n'), std::string::npos) << text;
        return text;
    }
    return "accepted";
}

std::string refusal_of(const std::vector<const char*>& arguments) {
    return refusal([&] { parsed(arguments); });
}

TEST(Options, AreReadAsTheyAreWritten) {
    const auto options = parsed({"--text", "a.txt", "--batch=64", "--micro-batch", "8", "--steps",
                                 "10", "--learning-rate", "1e-4", "--blocking", "--bucket-bytes",
                                 "256K", "--prompt", "- x", "--seed", "18446744073709551615"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->text, "a.txt");
    EXPECT_EQ(options->batch, 64u);
    EXPECT_EQ(options->micro_batch, 8u);
    EXPECT_EQ(options->steps, 10u);
    EXPECT_EQ(options->learning_rate, 1e-4);
    EXPECT_TRUE(options->blocking);
    EXPECT_EQ(options->bucket_bytes, 256u << 10);
    EXPECT_EQ(options->prompt, "- x");
    EXPECT_EQ(options->seed, UINT64_MAX);
}

TEST(Options, ALimitThereIsAlways) {
    EXPECT_EQ(parsed({"--text", "a"})->steps, 1000u);
    EXPECT_EQ(parsed({"--text", "a", "--max-time", "2.5"})->steps, 0u);
    EXPECT_EQ(parsed({"--text", "a", "--max-time", "2.5"})->max_time, 2.5);
}

TEST(Options, UnknownOnesOfferTheNearest) {
    EXPECT_EQ(refusal_of({"--text", "a", "--lerning-rate", "1"}),
              "unknown option --lerning-rate; did you mean --learning-rate?");
    EXPECT_EQ(refusal_of({"--text", "a", "--bacth=3"}),
              "unknown option --bacth; did you mean --batch?");
    EXPECT_EQ(refusal_of({"--txet", "a"}), "unknown option --txet; did you mean --text?");
    EXPECT_EQ(refusal_of({"--text", "a", "--entanglement"}),
              "unknown option --entanglement; --help lists what there is");
    EXPECT_EQ(refusal_of({"--text", "a", "b.txt"}),
              "unexpected argument 'b.txt'; --help lists what there is");
}

TEST(Options, MalformedValuesAreNamed) {
    const auto says = [](const std::vector<const char*>& arguments, const std::string& part) {
        const std::string text = refusal_of(arguments);
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    says({"--text", "a", "--steps", "many"}, "--steps: 'many' is not a whole number from 1 to");
    says({"--text", "a", "--steps", "-3"}, "--steps: '-3' is not a whole number");
    says({"--text", "a", "--steps", "1.5"}, "--steps: '1.5' is not a whole number");
    says({"--text", "a", "--steps", "99999999999999999999"}, "--steps");
    says({"--text", "a", "--learning-rate", "nan"}, "--learning-rate: 'nan' is not a number");
    says({"--text", "a", "--max-time", "1e400"}, "--max-time");
    says({"--text", "a", "--max-time", ""}, "--max-time");
    says({"--text", "a", "--top-k", "0"}, "--top-k: '0' is not a whole number from 1 to 256");
    says({"--text", "a", "--bucket-bytes", "2X"}, "--bucket-bytes");
    says({"--text", "a", "--bucket-bytes", "0"}, "--bucket-bytes 0");
    says({"--text", "a", "--batch"}, "--batch");
    says({"--text"}, "--text");
    says({"--text", ""}, "--text");
    says({}, "--text");
}

TEST(Options, ContradictionsAreNamed) {
    EXPECT_EQ(refusal_of({"--text", "a", "--batch", "10", "--micro-batch", "4"}),
              "--batch 10 is not a multiple of --micro-batch 4");
    EXPECT_NE(refusal_of({"--text", "a", "--channels", "100", "--heads", "3"}), "accepted");
    EXPECT_EQ(refusal_of({"--text", "a", "--report", "x", "--metrics", "x"}),
              "--report and --metrics both name x; they need a file each");
}

TEST(Options, AStepIsSharedAmongRanksOrRefused) {
    Options options = *parsed({"--text", "a", "--batch", "12"});
    EXPECT_EQ(options.step_shape(1).micro_batch, 12u);
    EXPECT_EQ(options.step_shape(3).micro_batch, 4u);
    EXPECT_EQ(options.step_shape(3).micro_batch_count, 3u);
    EXPECT_EQ(refusal([&] { (void)options.step_shape(5); }),
              "--batch 12 can't be shared among 5 ranks; 10 or 15 would do");
    EXPECT_EQ(refusal([&] { (void)options.step_shape(16); }),
              "--batch 12 can't be shared among 16 ranks; 16 would do");
    options.micro_batch = 4;
    EXPECT_EQ(options.step_shape(1).micro_batch_count, 3u);
    EXPECT_EQ(options.step_shape(3).micro_batch_count, 3u);
    EXPECT_EQ(refusal([&] { (void)options.step_shape(2); }),
              "--batch 12 is 3 micro-batches of 4, which can't be shared among 2 ranks; "
              "--micro-batch 6 would do");
}

TEST(Options, HelpAndVersionEndWithoutOptions) {
    testing::internal::CaptureStdout();
    EXPECT_FALSE(parsed({"--version"}));
    EXPECT_NE(testing::internal::GetCapturedStdout().find("xccl-train "), std::string::npos);
    testing::internal::CaptureStdout();
    EXPECT_FALSE(parsed({"--help"}));
    const std::string help = testing::internal::GetCapturedStdout();
    for (const char* part : {"--text", "--micro-batch", "--report", "Exit codes", "130"}) {
        EXPECT_NE(help.find(part), std::string::npos) << part;
    }
}

}  // namespace
}  // namespace xccl::trainer
