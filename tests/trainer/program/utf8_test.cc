// Goal: whatever bytes come, what is shown is valid and can be shown.
#include "report/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace xccl::trainer {
namespace {

std::string shown(const std::string& bytes) {
    PrintableText printable;
    std::string text;
    for (const char byte : bytes) text += printable.add(byte);
    return text + printable.finish();
}

const std::string kReplaced = kReplacementCharacter;

TEST(PrintableText, TextStaysAsItIs) {
    const std::string text = "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x99\x82\n\tend";
    EXPECT_EQ(shown(text), text);
}

TEST(PrintableText, CharactersComeWhenTheyAreComplete) {
    PrintableText printable;
    EXPECT_EQ(printable.add('\xe6'), "");
    EXPECT_EQ(printable.add('\x97'), "");
    EXPECT_EQ(printable.add('\xa5'), "\xe6\x97\xa5");
    EXPECT_EQ(printable.add('a'), "a");
    EXPECT_EQ(printable.finish(), "");
}

TEST(PrintableText, WhatIsNoneIsReplaced) {
    EXPECT_EQ(shown("\xff"), kReplaced);
    EXPECT_EQ(shown("a\xc3"), "a" + kReplaced);           // cut short at the end
    EXPECT_EQ(shown("\xc3z"), kReplaced + "z");           // and before
    EXPECT_EQ(shown("\xc0\xaf"), kReplaced + kReplaced);  // an overlong slash
    EXPECT_EQ(shown("\xc2\x9b"), kReplaced + kReplaced);  // a control of terminals
    EXPECT_EQ(shown("\x1b\x7f"), kReplaced + kReplaced);
    EXPECT_EQ(shown("\xed\xa0\x80"), kReplaced + kReplaced + kReplaced);  // half a surrogate pair
}

// Showing what was shown changes nothing: it was valid.
TEST(PrintableText, AnyBytesAtAll) {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (int i = 0; i < 40; ++i) bytes += static_cast<char>(random());
        const std::string text = shown(bytes);
        ASSERT_EQ(shown(text), text);
        ASSERT_GE(text.size(), 10u);
    }
}

}  // namespace
}  // namespace xccl::trainer
