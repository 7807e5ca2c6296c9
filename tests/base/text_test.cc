// Goal: what comes from outside is read whole or not at all, and cannot command the terminal that
// it is shown on. Method: values at the edges by hand.
#include "base/text.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

TEST(WholeNumber, IsAllOfTheText) {
    EXPECT_EQ(whole_number("0"), 0);
    EXPECT_EQ(whole_number("-17"), -17);
    EXPECT_EQ(whole_number("9223372036854775807"), 9223372036854775807);
    for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x10", "1.0", "9223372036854775808"}) {
        EXPECT_EQ(whole_number(text), std::nullopt) << text;
    }
}

TEST(WholeNumber, FitsTheTypeAskedFor) {
    EXPECT_EQ(whole_number<int>("2147483647"), 2147483647);
    EXPECT_EQ(whole_number<int>("2147483648"), std::nullopt);
    EXPECT_EQ(whole_number<std::uint8_t>("-1"), std::nullopt);
}

TEST(Printable, ShowsNoControlCharacters) {
    EXPECT_EQ(printable("a\x1b[2Jb\n\x7f"), "a?[2Jb??");
    EXPECT_EQ(printable("\x9b"
                        "2J"),
              "?2J");  // 8-bit terminals begin commands so
}

TEST(Printable, CutsWhatIsLong) {
    EXPECT_EQ(printable(std::string(60, 'a')), std::string(60, 'a'));
    EXPECT_EQ(printable(std::string(61, 'a')), std::string(60, 'a') + "...");
}

}  // namespace
}  // namespace xccl
