// Goal: what is held out is held out, and every text that can't be learned from is refused in a
// line that says why and what to do.
#include "data/corpus.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "program/failure.h"

namespace xccl::trainer {
namespace {

const CorpusShape kSmall{.sequence_length = 8, .samples_per_step = 4, .validation_fraction = 0.1};

std::vector<std::uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

// What the refusal says; empty if there is none.
std::string refusal(const std::string& text, const CorpusShape& shape = kSmall) {
    try {
        Corpus(bytes_of(text), "book.txt", shape);
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), kBadText);
        return failure.what();
    }
    return {};
}

std::string read_refusal(const std::string& path) {
    try {
        read_file(path);
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), kBadText);
        return failure.what();
    }
    return {};
}

TEST(Corpus, HoldsTheEndOut) {
    std::string text(200, 'a');
    text += std::string(20, 'z');
    const Corpus corpus(
        bytes_of(text), "book.txt",
        {.sequence_length = 8, .samples_per_step = 4, .validation_fraction = 20. / 220});
    EXPECT_EQ(corpus.training().size(), 200u);
    EXPECT_EQ(corpus.validation().size(), 20u);
    EXPECT_EQ(corpus.training().back(), 'a');
    EXPECT_EQ(corpus.validation().front(), 'z');
}

TEST(Corpus, WindowsHaveAByteBehindThem) {
    const auto text = bytes_of(std::string(17, 'a'));
    EXPECT_EQ(window_count(text, 8), 2u);
    EXPECT_EQ(window_count(std::span(text).first(16), 8), 1u);
    EXPECT_EQ(window_count(std::span(text).first(8), 8), 0u);
    EXPECT_EQ(window_count({}, 8), 0u);
}

TEST(Corpus, RefusesAnEmptyText) {
    EXPECT_NE(refusal("").find("book.txt is empty"), std::string::npos);
}

// The length that the message asks for is enough, and a hundredth less is not.
TEST(Corpus, RefusesAShortTextAndSaysHowLongItMustBe) {
    const std::string message = refusal(std::string(20, 'a'));
    EXPECT_NE(message.find("book.txt is too short: 20 bytes"), std::string::npos) << message;
    EXPECT_NE(message.find("--batch"), std::string::npos) << message;
    const std::size_t needed = std::stoul(message.substr(message.find("need about ") + 11));
    EXPECT_EQ(refusal(std::string(needed, 'a')), "");
    EXPECT_NE(refusal(std::string(needed - 1 - needed / 100, 'a')), "");
}

TEST(Corpus, RefusesBinary) {
    std::string binary(1000, 'a');
    binary[77] = '\0';
    EXPECT_NE(refusal(binary).find("zero byte at offset 77"), std::string::npos);
    std::string controls(1000, 'a');
    for (std::size_t i = 0; i < controls.size(); i += 9) controls[i] = '\x02';
    EXPECT_NE(refusal(controls).find("control characters"), std::string::npos);
}

TEST(Corpus, AcceptsTextOfAnyTongue) {
    std::string text;
    while (text.size() < 1000)
        text += "Grüße, café, \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\r\n\tline \f\x1b";
    EXPECT_EQ(refusal(text), "");
    EXPECT_EQ(refusal(std::string(1000, '\xe9')), "");  // Latin-1
}

TEST(ReadFile, SaysWhatIsWrong) {
    EXPECT_NE(read_refusal("/nowhere/book.txt").find("/nowhere/book.txt: No such file"),
              std::string::npos);
    EXPECT_NE(read_refusal("/tmp").find("Is a directory"), std::string::npos);
    EXPECT_NE(read_refusal("").find("--text"), std::string::npos);
}

TEST(ReadFile, ReadsAll) {
    const std::string path = testing::TempDir() + "xccl_trainer_read_file";
    const std::string text(3'000'001, 'x');
    std::FILE* file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    EXPECT_EQ(read_file(path), bytes_of(text));
    std::remove(path.c_str());
}

}  // namespace
}  // namespace xccl::trainer
