// Goal: what is held out is held out, and every text that can't be learned from is refused in a
// line that says why and what to do.
#include "data/corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
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

// Windows of both kinds, each with its last byte, cover distinct bytes, and most of the text.
TEST(Corpus, WhatIsHeldOutIsNeverLearned) {
    for (std::size_t size : {100u, 400u, 5000u, 20011u}) {
        const Corpus corpus(std::vector<std::uint8_t>(size, 'a'), "book.txt", kSmall);
        const std::uint8_t* const text = corpus.all().data();
        std::vector<int> kind(size, 0);
        for (std::size_t i = 0; i < corpus.training().count(); ++i) {
            for (int j = 0; j <= 8; ++j) kind[corpus.training().at(i) + j - text] = 1;
        }
        for (std::size_t i = 0; i < corpus.validation().count(); ++i) {
            for (int j = 0; j <= 8; ++j) {
                const auto place = static_cast<std::size_t>(corpus.validation().at(i) + j - text);
                ASSERT_LT(place, size);
                ASSERT_NE(kind[place], 1) << place << " of " << size;
                kind[place] = 2;
            }
        }
        const auto bytes_of = [&kind](int k) { return std::count(kind.begin(), kind.end(), k); };
        EXPECT_GT(bytes_of(1), 0.7 * static_cast<double>(size)) << size;
        EXPECT_GE(bytes_of(2), 9);
    }
}

TEST(Corpus, HoldsSomethingOutOfEveryPart) {
    const Corpus corpus(std::vector<std::uint8_t>(16000, 'a'), "book.txt", kSmall);
    EXPECT_EQ(corpus.training().count(), 16 * (899 / 8));  // of 1,000 bytes: 900 and 100
    EXPECT_EQ(corpus.validation().count(), 16 * (99 / 8));
    const auto place = [&corpus](const std::uint8_t* window) {
        return window - corpus.all().data();
    };
    EXPECT_EQ(place(corpus.validation().at(0)), 900);
    EXPECT_EQ(place(corpus.validation().at(12)), 1900);
    EXPECT_EQ(place(corpus.training().at(112)), 1000);
    EXPECT_EQ(place(corpus.training().at(113)), 1008);
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
