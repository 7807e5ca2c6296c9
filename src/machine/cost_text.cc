#include "machine/cost_text.h"

#include <nlohmann/json.hpp>

namespace xccl {

std::string cost_text(const MeasuredCosts& costs, std::string_view machine) {
    nlohmann::ordered_json fields = {{"format", kCostFormat}, {"machine", machine}};
    for (const MeasuredField& field : kMeasuredFields) {
        fields["costs"][field.name] = costs.*field.value;
    }
    return fields.dump(2) + "\n";
}

Result<MeasuredCosts> parse_cost_text(std::string_view text, std::string_view machine) {
    using nlohmann::json;
    if (text.size() > kMaxCostTextBytes) return invalid_usage("is too long");
    const json fields = json::parse(text, nullptr, false);
    if (!fields.is_object()) return invalid_usage("is cut off, or not JSON");
    try {
        if (fields.at("format") != kCostFormat) return invalid_usage("has another format");
        if (fields.at("machine") != machine) return invalid_usage("is of another machine");
        MeasuredCosts costs;
        for (const MeasuredField& field : kMeasuredFields) {
            costs.*field.value = fields.at("costs").at(field.name).get<double>();
            if (!is_believable(field, costs)) {
                return invalid_usage("has an unbelievable {}", field.name);
            }
        }
        return costs;
    } catch (const json::exception&) {
        return invalid_usage("lacks a number, or has something else in its place");
    }
}

}  // namespace xccl
