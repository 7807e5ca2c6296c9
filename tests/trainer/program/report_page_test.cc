// Goal: the page of any run is whole: every picture, tile and setting is there, nothing is loaded
// from elsewhere, and markup in what is shown stays text.
#include "report/report_page.h"

#include <gtest/gtest.h>

#include <string>

namespace xccl::trainer {
namespace {

RunSummary a_run() {
    RunSummary run;
    run.settings = {{"batch", "32"}, {"text", "<b>.txt"}};
    run.rank_count = 2;
    run.parameter_count = 1234567;
    run.steps = 50;
    run.tokens = 50 * 1000;
    run.seconds = 25;
    run.rank_times = {{.compute = 20, .exposed_communication = 5}, {.compute = 25}};
    run.evaluations = {{.step = 0, .elapsed = 0, .loss = 5.5},
                       {.step = 50, .elapsed = 25, .loss = 1.5}};
    for (std::uint64_t step = 0; step < 50; ++step) {
        StepRecord record{.step = step, .tokens = 1000};
        record.loss = 5 - 0.05 * static_cast<double>(step);
        record.times = {.compute = 0.45, .exposed_communication = 0.05};
        run.history.push_back(record);
    }
    run.prompt = "In the ";
    run.sample = "beginning <script>alert(1)</script> \xff & so on";
    return run;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

TEST(ReportPage, ShowsAll) {
    const std::string page = report_page(a_run());
    EXPECT_EQ(count_of(page, "<svg"), 6u);
    EXPECT_EQ(count_of(page, "<svg"), count_of(page, "</svg>"));
    EXPECT_EQ(count_of(page, "no data"), 0u);
    for (const char* part : {"5.500 → 1.500", "2.164", "2,000", "1,234,567", "10.0 %", "rank 1",
                             "2 × 1", "prefers-color-scheme: dark"}) {
        EXPECT_EQ(count_of(page, part) > 0, true) << part;
    }
}

TEST(ReportPage, NeedsNothingElse) {
    const std::string page = report_page(a_run());
    for (const char* part : {"src=", "href=", "url(", "@import", "<script", "<link"}) {
        EXPECT_EQ(count_of(page, part), 0u) << part;
    }
    EXPECT_EQ(count_of(page, "&lt;script&gt;"), 1u);
    EXPECT_EQ(count_of(page, "&lt;b&gt;.txt"), 1u);
    EXPECT_EQ(count_of(page, "http"),
              count_of(page, "http://www.w3.org/"));  // names, not addresses
}

// A run that was interrupted before its first step ended is a page too.
TEST(ReportPage, OfNothing) {
    RunSummary run;
    run.interrupted = true;
    const std::string page = report_page(run);
    EXPECT_EQ(count_of(page, "<svg"), 6u);
    EXPECT_EQ(count_of(page, "interrupted"), 1u);
    EXPECT_EQ(count_of(page, ">nan"), 0u);
}

}  // namespace
}  // namespace xccl::trainer
