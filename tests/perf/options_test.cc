// Goal: command lines written for nccl-tests are understood as it understands them, and what cannot
// be understood ends with its exit code and a line that helps. Method: every option, short and
// long, typical lines, and slips.
#include "options/options.h"

#include <gtest/gtest.h>

#include "failure.h"
#include "options/option_table.h"

namespace xccl::perf {
namespace {

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> result;
    while (!line.empty()) {
        const std::string_view word = line.substr(0, line.find(' '));
        if (!word.empty()) result.push_back(word);
        line.remove_prefix(std::min(line.size(), word.size() + 1));
    }
    return result;
}

ParsedOptions parse(std::string_view line) {
    return parse_options(words(line));
}

void expect_refused(std::string_view line, ExitCode code, std::string_view text) {
    try {
        parse(line);
        ADD_FAILURE() << line << " was accepted";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), code) << line;
        EXPECT_NE(std::string_view(failure.what()).find(text), std::string_view::npos)
            << line << ": " << failure.what();
    }
}

TEST(Options, DefaultsAreThoseOfNcclTests) {
    const Options o = parse("").options;
    EXPECT_EQ(o.sizes.first_bytes, 32u << 20);
    EXPECT_EQ(o.sizes.last_bytes, 32u << 20);
    EXPECT_EQ(o.sizes.step_bytes, 1u << 20);
    EXPECT_FALSE(o.sizes.multiplies());
    EXPECT_EQ(o.iterations, 20);
    EXPECT_EQ(o.warmup, 1);
    EXPECT_EQ(o.checks, 1);
    EXPECT_EQ(o.average, Average::kMean);
    ASSERT_EQ(o.types.size(), 1u);
    EXPECT_EQ(o.types[0].name, "float");
    EXPECT_EQ(o.operators, std::vector{Operator::kSum});
}

TEST(Options, TypicalLines) {
    Options o = parse("-b 8 -e 8G -f 2 -g 8").options;
    EXPECT_EQ(o.sizes.first_bytes, 8u);
    EXPECT_EQ(o.sizes.last_bytes, std::size_t{8} << 30);
    EXPECT_EQ(o.sizes.factor, 2u);
    EXPECT_EQ(o.ranks_per_process(), 8);
    o = parse("-b 1M -e 16G -f 2 -n 100 -w 20").options;
    EXPECT_EQ(o.iterations, 100);
    EXPECT_EQ(o.warmup, 20);
    EXPECT_EQ(parse("-c 0").options.checks, 0);
    EXPECT_EQ(parse("-d bfloat16").options.types[0].type, xcclBfloat16);
    EXPECT_EQ(parse("-G 20").options.replays, 20);
    EXPECT_EQ(parse("-z 1").options.blocking, Blocking::kWaitAndBarrier);
    EXPECT_EQ(parse("-n 1000").options.iterations, 1000);
}

TEST(Options, LettersAndNamesMeanTheSame) {
    const Options letters =
        parse(
            "-t 2 -g 3 -b 1K -e 4K -i 512 -n 5 -m 6 -w 7 -N 8 -p 1 -I 1 -K 2 -c 9 "
            "-o max -d int8 -r 4 -z 2 -y 1 -T 11 -C 1 -a 3 -R 1 -x 2 -V 64 -S 1 "
            "-M 1 -u 3 -J a.json")
            .options;
    const Options names =
        parse(
            "--nthreads=2 --ngpus 3 --minbytes 1K --maxbytes 4K --stepbytes=512 --iters 5 "
            "--agg_iters 6 --warmup_iters 7 --run_cycles 8 --parallel_init 1 --per_iter_timing 1 "
            "--per_iter_skip 2 --check 9 --op max --datatype int8 --root 4 --blocking 2 "
            "--stream_null 1 --timeout 11 --report_cputime 1 --average 3 --local_register 1 "
            "--cta_policy 2 --device_cta_count 64 --report_timestamps 1 --memory 1 --unalign 3 "
            "--output_file a.json")
            .options;
    for (const Options& o : {letters, names}) {
        EXPECT_EQ(o.threads, 2);
        EXPECT_EQ(o.ranks_per_thread, 3);
        EXPECT_EQ(o.sizes.first_bytes, 1024u);
        EXPECT_EQ(o.sizes.last_bytes, 4096u);
        EXPECT_EQ(o.sizes.step_bytes, 512u);
        EXPECT_EQ(o.iterations, 5);
        EXPECT_EQ(o.aggregated, 6);
        EXPECT_EQ(o.warmup, 7);
        EXPECT_EQ(o.cycles, 8);
        EXPECT_TRUE(o.parallel_init);
        EXPECT_TRUE(o.per_iteration);
        EXPECT_EQ(o.skipped_iterations, 2);
        EXPECT_EQ(o.checks, 9);
        EXPECT_EQ(o.operators, std::vector{Operator::kMax});
        EXPECT_EQ(o.types[0].name, "int8");
        EXPECT_EQ(o.root, 4);
        EXPECT_EQ(o.blocking, Blocking::kWait);
        EXPECT_TRUE(o.null_stream);
        EXPECT_EQ(o.timeout_s, 11);
        EXPECT_TRUE(o.report_cpu_time);
        EXPECT_EQ(o.average, Average::kMax);
        EXPECT_EQ(o.local_register, 1);
        EXPECT_EQ(o.cta_policy, 2);
        EXPECT_EQ(o.device_cta_count, 64);
        EXPECT_TRUE(o.timestamps);
        EXPECT_TRUE(o.memory_report);
        EXPECT_EQ(o.unalign, 3u);
        EXPECT_EQ(o.json_path, "a.json");
    }
}

TEST(Options, FormsThatGetoptTakes) {
    EXPECT_EQ(parse("-b8 -e8K -f2").options.sizes.last_bytes, 8192u);
    EXPECT_EQ(parse("--minb 8 --maxb 16").options.sizes.first_bytes, 8u);
    EXPECT_EQ(parse("--iters=3 --").options.iterations, 3);
    EXPECT_TRUE(parse("-h").options.help);
    EXPECT_TRUE(parse("--percentiles --plot a.svg").options.percentiles);
    expect_refused("--per 1", ExitCode::kInvalidUsage, "may mean");
}

TEST(Options, AllTypesAndOperatorsInOrder) {
    const Options o = parse("-d all -o all").options;
    ASSERT_EQ(o.types.size(), kElementTypes.size());
    EXPECT_EQ(o.types[6].name, "half");
    EXPECT_EQ(o.types[11].name, "f8e5m2");
    const std::vector<Operator> in_order{Operator::kSum, Operator::kProd, Operator::kMax,
                                         Operator::kMin, Operator::kAvg,  Operator::kMulsum};
    EXPECT_EQ(o.operators, in_order);
    EXPECT_EQ(parse("-d float32").options.types[0].name, "float");
}

TEST(Options, AnUnknownTypeIsToldOfAndFloatIsMeasured) {
    const ParsedOptions parsed = parse("-d flaot -o summ");
    EXPECT_EQ(parsed.options.types[0].name, "float");
    EXPECT_EQ(parsed.options.operators, std::vector{Operator::kSum});
    ASSERT_EQ(parsed.notes.size(), 2u);
    EXPECT_EQ(parsed.notes[0], "invalid type flaot, defaulting to float .. ");
    EXPECT_EQ(parsed.notes[1], "invalid op summ, defaulting to sum .. ");
    EXPECT_NE(parsed.warnings.at(0).find("did you mean 'float'"), std::string::npos);
}

TEST(Options, WhatIsRefused) {
    expect_refused("-b 8Q", ExitCode::kBadSize, "invalid size specified for 'minbytes'");
    expect_refused("-e -1", ExitCode::kBadSize, "invalid size specified for 'maxbytes'");
    expect_refused("-i x", ExitCode::kBadSize, "'stepbytes'");
    expect_refused("-b 64 -e 8", ExitCode::kBadSize,
                   "invalid sizes for 'minbytes' and 'maxbytes': 64 > 8");
    expect_refused("-D 1", ExitCode::kBadSize, "device API");
    expect_refused("-q", ExitCode::kInvalidUsage, "invalid option 'q'");
    expect_refused("--minbites 8", ExitCode::kInvalidUsage, "did you mean 'minbytes'");
    expect_refused("-n", ExitCode::kInvalidUsage, "needs an argument");
    expect_refused("-n ten", ExitCode::kInvalidUsage, "'ten' is not a number");
    expect_refused("-n 0", ExitCode::kInvalidUsage, "at least 1");
    expect_refused("-p 2", ExitCode::kInvalidUsage, "from 0 to 1");
    expect_refused("-r -2", ExitCode::kInvalidUsage, "option -r");
    expect_refused("-z 4", ExitCode::kInvalidUsage, "from 0 to 3");
    expect_refused("-K 20", ExitCode::kInvalidUsage, "at least one must be left");
    expect_refused("-i 0 -b 8 -e 16", ExitCode::kInvalidUsage, "never gets");
    expect_refused("--help=1", ExitCode::kInvalidUsage, "takes no argument");
    expect_refused("8", ExitCode::kInvalidUsage, "unexpected argument '8'");
    expect_refused("-G 2 -y 1", ExitCode::kInvalidUsage, "does not go with");
}

TEST(Options, WhatGoesTogetherIsSettledWithAWarning) {
    ParsedOptions parsed = parse("-G 5 -z 3 -I 1");
    EXPECT_EQ(parsed.options.blocking, Blocking::kNone);
    EXPECT_FALSE(parsed.options.per_iteration);
    EXPECT_EQ(parsed.warnings.size(), 2u);
    parsed = parse("-V 500 -J results.txt");
    EXPECT_EQ(parsed.options.device_cta_count, 16);
    EXPECT_TRUE(parsed.options.json_path.empty());
    EXPECT_EQ(parsed.warnings.size(), 2u);
    EXPECT_EQ(parse("-J A.JSON").options.json_path, "A.JSON");
}

TEST(Options, HelpNamesEveryOption) {
    const std::string help = usage("all_reduce_perf");
    for (const OptionRow& row : option_table()) {
        EXPECT_NE(help.find("--" + std::string(row.name)), std::string::npos) << row.name;
    }
}

}  // namespace
}  // namespace xccl::perf
