// Goal: the line says all that it has room for, and never more than the terminal is wide.
#include "report/progress_line.h"

#include <gtest/gtest.h>

#include "report/time_shares.h"

namespace xccl::trainer {
namespace {

const Progress kHalf{
    .done = 0.5,
    .seconds_left = 65,
    .step = 300,
    .steps = 600,
    .loss = 1.5,
    .tokens_per_second = 12345,
    .times = {.compute = 9, .exposed_communication = 0.5, .input = 0.1, .optimizer = 0.4}};

// Columns: characters that are not UTF-8 continuations.
std::size_t columns(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

TEST(ProgressText, SaysAllWhereThereIsRoom) {
    const std::string line = progress_text(kHalf, 200);
    for (const char* part : {"50 %", "1:05 left", "loss 1.500", "12,345 tok/s", "compute 90 %",
                             "exposed communication 5 %", "input 1 %", "optimizer 4 %",
                             "step 300/600", "██████████          "}) {
        EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
    }
}

TEST(ProgressText, NeverTooWide) {
    for (std::size_t width = 0; width < 200; ++width) {
        EXPECT_LE(columns(progress_text(kHalf, width)), width);
    }
    // What an ordinary terminal shows.
    EXPECT_EQ(progress_text(kHalf, 79),
              " 50 %  1:05 left  loss 1.500  12,345 tok/s  compute 90 comm 5 in 1 opt 4 %");
    EXPECT_NE(progress_text(kHalf, 110).find("█"), std::string::npos);
}

TEST(ProgressText, WithoutALimitOfSteps) {
    Progress progress = kHalf;
    progress.steps = 0;
    EXPECT_NE(progress_text(progress, 200).find("step 300"), std::string::npos);
    EXPECT_EQ(progress_text(progress, 200).find("300/"), std::string::npos);
}

TEST(ProgressLine, AFileGetsWholeLinesNowAndThen) {
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    {
        ProgressLine line(file);
        EXPECT_TRUE(line.due(0));
        line.show(kHalf, 1);
        EXPECT_FALSE(line.due(2));
        EXPECT_TRUE(line.due(60));
    }
    std::rewind(file);
    char text[1024] = "";
    const std::size_t size = std::fread(text, 1, sizeof(text) - 1, file);
    std::fclose(file);
    const std::string shown(text, size);
    EXPECT_EQ(shown.find('\r'), std::string::npos);
    EXPECT_EQ(shown.find('\033'), std::string::npos);
    EXPECT_EQ(shown.find('\n'), shown.size() - 1);
}

TEST(Words, ForTimesAndNumbers) {
    EXPECT_EQ(clock_text(0), "0:00");
    EXPECT_EQ(clock_text(59.5), "1:00");
    EXPECT_EQ(clock_text(3723), "1:02:03");
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace xccl::trainer
