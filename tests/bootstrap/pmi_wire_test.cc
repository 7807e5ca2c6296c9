// Goal: messages are written as launchers read them and read as they write them, however they are
// cut up, and what is no message is refused. Method: texts.
#include "bootstrap/pmi_wire.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

constexpr PmiVersion kBoth[] = {PmiVersion::kOne, PmiVersion::kTwo};

// "command name=value ...", "incomplete", or "refused".
std::string taken(PmiVersion version, std::string* received) {
    const auto message = take_message(version, received);
    if (!message.ok()) return "refused";
    if (!message->has_value()) return "incomplete";
    std::string text = (*message)->command;
    for (const auto& [name, value] : (*message)->fields) text += fmt::format(" {}={}", name, value);
    return text;
}
std::string taken(PmiVersion version, std::string received) {
    return taken(version, &received);
}

TEST(PmiWire, WhatWeSay) {
    const PmiMessage put{"put", {{"kvsname", "kvs_1"}, {"key", "a"}, {"value", "b"}}};
    EXPECT_EQ(encode(PmiVersion::kOne, put), "cmd=put kvsname=kvs_1 key=a value=b\n");
    EXPECT_EQ(encode(PmiVersion::kTwo, {"kvs-put", {{"key", "a"}, {"value", "b;c"}}}),
              "    29cmd=kvs-put;key=a;value=b;;c;");
    EXPECT_EQ(encode(PmiVersion::kOne, {"finalize", {}}), "cmd=finalize\n");
    EXPECT_EQ(encode(PmiVersion::kTwo, {"finalize", {}}), "    13cmd=finalize;");
}

TEST(PmiWire, WhatLaunchersSay) {
    EXPECT_EQ(taken(PmiVersion::kOne, "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0\n"),
              "response_to_init pmi_version=1 pmi_subversion=1 rc=0");
    EXPECT_EQ(taken(PmiVersion::kOne, "cmd=get_result rc=-1 msg=key not found value=unknown\n"),
              "get_result rc=-1 msg=key value=unknown");
    EXPECT_EQ(taken(PmiVersion::kTwo, "    50cmd=kvs-get-response;rc=0;found=TRUE;value=a=b;;c;"),
              "kvs-get-response rc=0 found=TRUE value=a=b;c");
    EXPECT_EQ(taken(PmiVersion::kTwo, "28    cmd=kvs-fence-response;rc=0;"),
              "kvs-fence-response rc=0");
}

TEST(PmiWire, RoundTripByteByByte) {
    const PmiMessage message{"hello", {{"a", "1"}, {"b", ""}, {"c", "x=y"}}};
    for (const PmiVersion version : kBoth) {
        const std::string bytes = encode(version, message);
        std::string received;
        for (const char c : bytes) {
            EXPECT_EQ(taken(version, &received), "incomplete");
            received += c;
        }
        EXPECT_EQ(taken(version, &received), "hello a=1 b= c=x=y");
        EXPECT_EQ(received, "");
    }
}

TEST(PmiWire, SeveralAtOnceAreTakenOneByOne) {
    for (const PmiVersion version : kBoth) {
        std::string received = encode(version, {"one", {}}) + encode(version, {"two", {}}) + "    ";
        EXPECT_EQ(taken(version, &received), "one");
        EXPECT_EQ(taken(version, &received), "two");
        EXPECT_EQ(taken(version, &received), "incomplete");
    }
}

TEST(PmiWire, WhatIsNoMessageIsRefused) {
    for (const char* bad : {"\n", " \n", "put\n", "key=a cmd=put\n", "=put\n"}) {
        EXPECT_EQ(taken(PmiVersion::kOne, bad), "refused") << bad;
    }
    for (const char* bad : {"      ", "-00001", "     x", "0x10  ", "99999999", "     0",
                            "     4a=b;", "    +1", "2 3   "}) {
        EXPECT_EQ(taken(PmiVersion::kTwo, bad), "refused") << bad;
    }
}

TEST(PmiWire, LengthsAreBounded) {
    EXPECT_EQ(taken(PmiVersion::kOne, std::string(kMaxPmiMessageBytes, 'a')), "incomplete");
    EXPECT_EQ(taken(PmiVersion::kOne, std::string(kMaxPmiMessageBytes + 1, 'a')), "refused");
    EXPECT_EQ(taken(PmiVersion::kTwo, "999999"), "refused");
}

TEST(PmiWire, Fields) {
    const PmiMessage message{"m",
                             {{"rc", "-7"}, {"msg", "no"}, {"rc", "8"}, {"big", "9999999999"}}};
    EXPECT_EQ(message.number("rc"), -7);
    EXPECT_EQ(message.number("msg"), std::nullopt);
    EXPECT_EQ(message.number("big"), std::nullopt);
    EXPECT_EQ(message.number("none"), std::nullopt);
    EXPECT_EQ(*message.find("msg"), "no");
    EXPECT_EQ(message.find("none"), nullptr);
}

}  // namespace
}  // namespace xccl
