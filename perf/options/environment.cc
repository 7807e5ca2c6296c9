#include "options/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "failure.h"
#include "options/nearest_name.h"
#include "options/sizes.h"

namespace xccl::perf {
namespace {

constexpr std::array<std::string_view, 10> kNames = {
    "DEVICE",
    "SPLIT_MASK",
    "SPLIT",
    "MIN_BW",
    "ALLTOALLV_SPREAD",
    "ALLTOALLV_MATRIX_FILE",
    "ALLTOALLV_MATRIX_SCALE",
    "ALLTOALLV_PRINT_SUMMARY",
    "CORRUPT",
    "MEMORY",
};
constexpr std::array<std::string_view, 2> kPrefixes = {"XCCL_TESTS_", "NCCL_TESTS_"};

// A variable that is set, with the name that it was set by.
struct Variable {
    std::string name;
    std::string_view value;
};

std::optional<Variable> find(std::span<const std::string_view> environment, std::string_view name) {
    for (const std::string_view prefix : kPrefixes) {
        const std::string full = std::string(prefix) + std::string(name);
        for (const std::string_view entry : environment) {
            const bool is_it =
                entry.size() > full.size() && entry.starts_with(full) && entry[full.size()] == '=';
            if (is_it) return Variable{full, entry.substr(full.size() + 1)};
        }
    }
    return std::nullopt;
}

[[noreturn]] void refuse(const Variable& variable, std::string_view wanted) {
    throw Failure(ExitCode::kInvalidUsage,
                  fmt::format("{}='{}' is not {}", variable.name, variable.value, wanted));
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, base);
    if (error != std::errc() || rest != end) return std::nullopt;
    return number;
}

double real_number(const Variable& variable, double most, std::string_view wanted) {
    double number = 0;
    const char* const end = variable.value.data() + variable.value.size();
    const auto [rest, error] = std::from_chars(variable.value.data(), end, number);
    const bool fits = error == std::errc() && rest == end && number >= 0 && number <= most;
    if (!fits) refuse(variable, wanted);
    return number;
}

// Decimal, 0x hexadecimal or 0b binary.
std::optional<unsigned long long> operand_of(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) {
        return whole_number<unsigned long long>(text.substr(2), 16);
    }
    if (text.starts_with("0b") || text.starts_with("0B")) {
        return whole_number<unsigned long long>(text.substr(2), 2);
    }
    return whole_number<unsigned long long>(text);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::optional<SplitRule::Kind> kind_of(std::string_view word) {
    std::string upper(word);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (upper == "AND" || upper == "&") return SplitRule::Kind::kAnd;
    if (upper == "OR" || upper == "|") return SplitRule::Kind::kOr;
    if (upper == "MOD" || upper == "%") return SplitRule::Kind::kModulo;
    if (upper == "DIV" || upper == "/") return SplitRule::Kind::kDivide;
    return std::nullopt;
}

std::optional<SplitRule> split_of(std::span<const std::string_view> environment) {
    if (const auto mask = find(environment, "SPLIT_MASK")) {
        std::string_view digits = mask->value;
        if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
        const auto bits = whole_number<unsigned long long>(digits, 16);
        if (!bits) refuse(*mask, "a hexadecimal number");
        return SplitRule(SplitRule::Kind::kAnd, *bits);
    }
    const auto rule = find(environment, "SPLIT");
    if (!rule) return std::nullopt;
    const auto parsed = parse_split(rule->value);
    if (!parsed) refuse(*rule, "AND, OR, MOD or DIV (or & | % /) and a number, such as 'MOD 2'");
    return parsed;
}

std::optional<Damage> damage_of(std::span<const std::string_view> environment) {
    const auto variable = find(environment, "CORRUPT");
    if (!variable) return std::nullopt;
    const std::size_t colon = variable->value.find(':');
    const auto rank = whole_number<int>(variable->value.substr(0, colon));
    const auto index = colon == std::string_view::npos
                           ? std::nullopt
                           : whole_number<std::size_t>(variable->value.substr(colon + 1));
    if (!rank || !index) refuse(*variable, "RANK:INDEX, such as 1:0");
    return Damage{*rank, *index};
}

// The secret of the job, the job's name that contains it, and Open MPI's key for its transports.
bool is_secret(std::string_view name) {
    constexpr std::array<std::string_view, 4> kSecrets = {"SECRET", "JOB_ID", "KEY",
                                                          "precondition_transports"};
    return std::any_of(kSecrets.begin(), kSecrets.end(), [&](std::string_view secret) {
        return name.find(secret) != std::string_view::npos;
    });
}

// A name of ours that nobody reads is a typing error.
void warn_of_unknown(std::string_view entry, std::vector<std::string>* warnings) {
    const std::string_view name = entry.substr(0, entry.find('='));
    if (!name.starts_with(kPrefixes[0])) return;
    const std::string_view rest = name.substr(kPrefixes[0].size());
    if (std::find(kNames.begin(), kNames.end(), rest) != kNames.end()) return;
    std::vector<std::string> full;
    full.reserve(kNames.size());
    for (const std::string_view known : kNames)
        full.push_back(std::string(kPrefixes[0]).append(known));
    const std::vector<std::string_view> views(full.begin(), full.end());
    warnings->push_back(fmt::format("{} is no setting{}", name, suggestion(name, views)));
}

}  // namespace

int SplitRule::color(int process) const {
    const auto number = static_cast<unsigned long long>(process);
    constexpr unsigned long long kColors = 0x7fffffff;  // colors are not negative
    switch (kind_) {
        case Kind::kAnd:
            return static_cast<int>((number & operand_) & kColors);
        case Kind::kOr:
            return static_cast<int>((number | operand_) & kColors);
        case Kind::kModulo:
            return static_cast<int>(number % operand_);
        default:
            return static_cast<int>(number / operand_);
    }
}

std::optional<SplitRule> parse_split(std::string_view text) {
    text = trimmed(text);
    const std::size_t word_end = text.find_first_of(" 0123456789");
    if (word_end == std::string_view::npos) return std::nullopt;
    const auto kind = kind_of(text.substr(0, word_end));
    const auto operand = operand_of(trimmed(text.substr(word_end)));
    if (!kind || !operand) return std::nullopt;
    const bool divides = *kind == SplitRule::Kind::kModulo || *kind == SplitRule::Kind::kDivide;
    if (divides && *operand == 0) return std::nullopt;
    return SplitRule(*kind, *operand);
}

EnvironmentSettings parse_environment(std::span<const std::string_view> environment) {
    EnvironmentSettings settings;
    if (const auto device = find(environment, "DEVICE")) {
        const auto number = whole_number<int>(device->value);
        if (!number || *number < 0) refuse(*device, "the number of a device");
        settings.first_device = *number;
    }
    settings.split = split_of(environment);
    if (const auto least = find(environment, "MIN_BW")) {
        settings.least_bandwidth = real_number(*least, HUGE_VAL, "a bandwidth in GB/s");
    }
    if (const auto spread = find(environment, "ALLTOALLV_SPREAD")) {
        settings.spread = real_number(*spread, 1, "a number from 0.0 to 1.0");
    }
    if (const auto path = find(environment, "ALLTOALLV_MATRIX_FILE")) {
        settings.matrix_path = path->value;
    }
    if (const auto scale = find(environment, "ALLTOALLV_MATRIX_SCALE")) {
        settings.matrix_scale = real_number(*scale, 1e9, "a factor");
    }
    if (const auto summary = find(environment, "ALLTOALLV_PRINT_SUMMARY")) {
        settings.traffic_summary = summary->value == "1";
    }
    settings.damage = damage_of(environment);
    if (const auto memory = find(environment, "MEMORY")) {
        const auto bytes = parse_size(memory->value);
        if (!bytes || *bytes == 0) refuse(*memory, "a size in bytes, such as 4G");
        settings.memory_bytes = *bytes;
    }
    for (const std::string_view entry : environment) warn_of_unknown(entry, &settings.warnings);
    return settings;
}

std::vector<std::string> reportable(std::span<const std::string_view> environment) {
    std::vector<std::string> shown;
    for (const std::string_view entry : environment) {
        const std::string_view name = entry.substr(0, entry.find('='));
        const bool is_ours =
            name.starts_with("XCCL_") || name.starts_with("NCCL_") || name.starts_with("OMPI_");
        if (is_ours && !is_secret(name)) shown.emplace_back(entry);
    }
    return shown;
}

}  // namespace xccl::perf
