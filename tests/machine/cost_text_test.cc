// Goal: costs are read back bit for bit, and no text that is anything else is believed. Method:
// round trips; every truncation; other formats, machines and values.
#include "machine/cost_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace xccl {
namespace {

constexpr const char* kMachine = "some processor, 2 of 2 CPUs";

MeasuredCosts some_costs() {
    MeasuredCosts costs = built_in_costs();
    costs.latency_us *= 1.0 / 3;
    costs.slot_us_per_byte *= 1.1;
    costs.cached_bytes /= 7;
    return costs;
}

std::string refusal_of(const nlohmann::json& fields) {
    const auto costs = parse_cost_text(fields.dump(), kMachine);
    EXPECT_FALSE(costs.ok()) << fields;
    return costs.status().text();
}

TEST(CostText, SurvivesBitForBit) {
    const auto costs = parse_cost_text(cost_text(some_costs(), kMachine), kMachine);
    ASSERT_TRUE(costs.ok()) << costs.status().text();
    EXPECT_EQ(*costs, some_costs());
}

TEST(CostText, WhatIsCutOffIsRefused) {
    const std::string text = cost_text(some_costs(), kMachine);
    for (std::size_t size = 0; size + 1 < text.size(); ++size) {  // the last byte ends the line
        EXPECT_EQ(parse_cost_text(text.substr(0, size), kMachine).status().text(),
                  "is cut off, or not JSON")
            << size;
    }
}

TEST(CostText, SaysWhatIsWrong) {
    const auto good = nlohmann::json::parse(cost_text(some_costs(), kMachine));
    auto other = good;
    other["format"] = kCostFormat + 1;
    EXPECT_EQ(refusal_of(other), "has another format");
    other = good;
    other["machine"] = "another";
    EXPECT_EQ(refusal_of(other), "is of another machine");
    for (const MeasuredField& field : kMeasuredFields) {
        other = good;
        other["costs"][field.name] = 1e300;
        EXPECT_EQ(refusal_of(other), std::string("has an unbelievable ") + field.name);
        other["costs"][field.name] = "fast";
        EXPECT_EQ(refusal_of(other), "lacks a number, or has something else in its place");
        other["costs"].erase(field.name);
        EXPECT_EQ(refusal_of(other), "lacks a number, or has something else in its place");
    }
    EXPECT_FALSE(parse_cost_text(std::string(kMaxCostTextBytes + 1, ' '), kMachine).ok());
    for (const char* text : {"", "[]", "null", "{}", "\xff\xfe", "{\"format\":1}"}) {
        EXPECT_FALSE(parse_cost_text(text, kMachine).ok()) << text;
    }
}

}  // namespace
}  // namespace xccl
