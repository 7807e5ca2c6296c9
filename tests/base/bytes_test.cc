// Goal: what is written is read back; a reader never reads what is not there and says so.
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace xccl {
namespace {

TEST(Bytes, WhatIsWrittenIsReadBack) {
    const std::string text("a\0b", 3);
    const std::string bytes = ByteWriter()
                                  .put(std::uint8_t{200})
                                  .put(std::int32_t{-5})
                                  .put(std::numeric_limits<std::uint64_t>::max())
                                  .counted(text)
                                  .counted<std::uint16_t>("")
                                  .raw("tail")
                                  .take();
    ByteReader reader(bytes);
    EXPECT_EQ(reader.get<std::uint8_t>(), 200);
    EXPECT_EQ(reader.get<std::int32_t>(), -5);
    EXPECT_EQ(reader.get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(reader.counted(3), text);
    EXPECT_EQ(reader.counted<std::uint16_t>(0), "");
    EXPECT_FALSE(reader.complete());
    EXPECT_EQ(reader.rest(), "tail");
    EXPECT_TRUE(reader.complete());
}

TEST(Bytes, IntegersAreLittleEndian) {
    EXPECT_EQ(ByteWriter().put(std::uint32_t{0x04030201}).take(), "\x01\x02\x03\x04");
}

TEST(Bytes, TheFirstThingThatIsMissingSpoilsTheRest) {
    ByteReader reader(std::string_view("\x01\x02\x03", 3));
    EXPECT_EQ(reader.get<std::uint32_t>(), 0u);
    EXPECT_FALSE(reader.good());
    EXPECT_EQ(reader.get<std::uint8_t>(), 0u);
    EXPECT_EQ(reader.rest(), "");
    EXPECT_FALSE(reader.complete());
}

TEST(Bytes, LengthsAreBounded) {
    const std::string bytes = ByteWriter().counted("four").take();
    EXPECT_EQ(ByteReader(bytes).counted(4), "four");
    ByteReader strict(bytes);
    EXPECT_EQ(strict.counted(3), "");
    EXPECT_FALSE(strict.good());
    ByteReader lying(std::string_view("\xff\xff\xff\xff", 4));
    EXPECT_EQ(lying.counted(std::numeric_limits<std::size_t>::max()), "");
    EXPECT_FALSE(lying.good());
}

TEST(Bytes, RandomReadsOfRandomBytesStayInside) {
    std::mt19937 random(3);
    for (int round = 0; round < 5000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random() % 3 == 0 ? random() : 0);
        ByteReader reader(bytes);
        std::size_t taken = 0;
        while (reader.good() && !reader.complete()) {
            const std::string_view piece = random() % 2 ? reader.counted(20) : reader.raw(1);
            taken += piece.size();
        }
        EXPECT_LE(taken, bytes.size());
    }
}

}  // namespace
}  // namespace xccl
