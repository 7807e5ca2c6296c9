#include "base/config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/nearest_name.h"
#include "base/text.h"

extern char** environ;

namespace xccl {
namespace {

// ---- What each rule accepts, how it reads a value, and how it shows one.

std::string accepts(NumberRule rule) {
    return fmt::format("a whole number from {} to {}", rule.low, rule.high);
}
std::string accepts(BytesRule rule) {
    return fmt::format("0, or bytes from {} to {} (K, M or G may follow)", rule.low, rule.high);
}
std::string accepts(FlagRule) {
    return "0 or 1";
}
std::string accepts(ChoiceRule rule) {
    std::string text = rule.names;
    for (std::size_t bar = 0; (bar = text.find('|', bar)) != std::string::npos; bar += 2) {
        text.replace(bar, 1, ", ");
    }
    return "one of " + text;
}
std::string accepts(TextRule rule) {
    return fmt::format("text of at most {} bytes", rule.max_bytes);
}
std::string accepts(EndpointRule) {
    return "host:port or [IPv6]:port";
}
std::string accepts(SecretRule) {
    return fmt::format("text of {} to {} bytes", kMinSecretBytes, kMaxSettingBytes);
}
std::string accepts(JobIdRule) {
    return "16 hex digits, a colon, 64 hex digits";
}

std::optional<std::int64_t> read(NumberRule rule, std::string_view text) {
    const auto value = whole_number(text);
    if (!value || *value < rule.low || *value > rule.high) return std::nullopt;
    return value;
}

std::optional<std::int64_t> read(BytesRule rule, std::string_view text) {
    int shift = 0;
    if (!text.empty()) {
        const std::size_t unit = std::string_view("KkMmGg").find(text.back());
        if (unit != std::string_view::npos) shift = 10 * (static_cast<int>(unit) / 2 + 1);
    }
    if (shift > 0) text.remove_suffix(1);
    const auto value = whole_number(text);
    if (!value || *value < 0 || *value > rule.high >> shift) return std::nullopt;
    const std::int64_t bytes = *value << shift;
    if (bytes != 0 && bytes < rule.low) return std::nullopt;
    return bytes;
}

std::optional<bool> read(FlagRule, std::string_view text) {
    if (text != "0" && text != "1") return std::nullopt;
    return text == "1";
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

std::optional<std::string> read(ChoiceRule rule, std::string_view text) {
    const std::string wanted = lower(text);
    std::string_view rest = rule.names;
    while (!rest.empty()) {
        const std::string_view name = rest.substr(0, rest.find('|'));
        if (name == wanted) return wanted;
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    }
    return std::nullopt;
}

std::optional<std::string> read(TextRule rule, std::string_view text) {
    if (text.size() > rule.max_bytes) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> read(EndpointRule, std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || text.size() > 300) return std::nullopt;
    const auto port = whole_number(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (!bracketed && host.find_first_of(":[] ") != std::string_view::npos) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> read(SecretRule, std::string_view text) {
    if (text.size() < kMinSecretBytes || text.size() > kMaxSettingBytes) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> read(JobIdRule, std::string_view text) {
    const auto is_hex = [](std::string_view digits) {
        return std::all_of(digits.begin(), digits.end(),
                           [](unsigned char c) { return std::isxdigit(c) != 0; });
    };
    if (text.size() != 16 + 1 + 64 || text[16] != ':') return std::nullopt;
    if (!is_hex(text.substr(0, 16)) || !is_hex(text.substr(17))) return std::nullopt;
    return std::string(text);
}

template <typename Rule>
std::string show(Rule, const std::string& value) {
    return value;
}
std::string show(SecretRule, const std::string& value) {
    return value.empty() ? "" : "(hidden)";
}
std::string show(JobIdRule, const std::string& value) {
    return value.empty() ? "" : "(hidden)";
}
std::string show(FlagRule, bool value) {
    return value ? "1" : "0";
}
std::string show(NumberRule rule, std::int64_t value) {
    return value < rule.low ? "" : fmt::format("{}", value);
}
std::string show(BytesRule, std::int64_t value) {
    return fmt::format("{}", value);
}

// ---- Messages.

template <typename Rule>
Status malformed(Rule rule, const char* variable, std::string_view value) {
    constexpr bool kHidden = std::is_same_v<Rule, SecretRule> || std::is_same_v<Rule, JobIdRule>;
    const std::string shown = kHidden ? fmt::format("has {} bytes", value.size())
                                      : fmt::format("is \"{}\"", printable(value));
    return invalid_argument("{} {}; it must be {}", variable, shown, accepts(rule));
}

constexpr std::array kVariables = {
#define XCCL_NAME(type, field, variable, initial, rule, sentence) std::string_view(variable),
    XCCL_SETTINGS(XCCL_NAME)
#undef XCCL_NAME
};

std::string unknown_name(std::string_view name) {
    const std::string_view nearest = nearest_name(name, kVariables);
    if (nearest.empty()) return fmt::format("{} is not a setting of xccl", printable(name));
    return fmt::format("{} is not a setting of xccl; did you mean {}?", printable(name), nearest);
}

bool is_ours(std::string_view name) {
    return name.substr(0, 5) == "XCCL_" && name.substr(0, 11) != "XCCL_TESTS_";
}

// ---- Reading an environment.

const std::string* find(std::span<const EnvironmentEntry> environment, std::string_view name) {
    for (const auto& [key, value] : environment) {
        if (key == name) return &value;
    }
    return nullptr;
}

// NCCL's own words for how much to log.
std::string level_of_nccl_debug(const std::string& value) {
    const std::string level = lower(value);
    if (level == "version") return "warn";
    return level == "abort" ? "error" : level;
}

// Variables of NCCL that users' scripts set. They are not ours, so a value that makes no sense to
// us is a warning.
void apply_fallbacks(std::span<const EnvironmentEntry> environment, Config* values,
                     std::vector<std::string>* warnings) {
    const auto take = [&](const char* theirs, const char* ours, auto rule, std::string* field,
                          auto translate) {
        const std::string* given = find(environment, theirs);
        if (given == nullptr || given->empty() || find(environment, ours) != nullptr) return;
        if (const auto value = read(rule, translate(*given))) {
            *field = *value;
        } else {
            warnings->push_back(malformed(rule, theirs, *given).text() + "; it is ignored");
        }
    };
    const auto as_it_is = [](const std::string& value) { return value; };
    take("NCCL_DEBUG", "XCCL_DEBUG", ChoiceRule{"error|warn|info|debug|trace"}, &values->debug,
         level_of_nccl_debug);
    take("NCCL_SOCKET_IFNAME", "XCCL_SOCKET_IFNAME", TextRule{kMaxSettingBytes},
         &values->socket_ifname, as_it_is);
    take("NCCL_COMM_ID", "XCCL_ROOT", EndpointRule{}, &values->root, as_it_is);
}

std::vector<EnvironmentEntry> own_environment() {
    std::vector<EnvironmentEntry> entries;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        entries.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return entries;
}

struct Loaded {
    Result<Config> result;
    Config values;  // defaults where the result is a failure
};

Loaded load() {
    std::vector<std::string> warnings;
    Result<Config> result = parse_config(own_environment(), &warnings);
    const Config values = result.ok() ? *result : Config{};
    if (values.debug != "error") {
        for (const std::string& line : warnings) {
            std::fprintf(stderr, "xccl base warn: %s\n", line.c_str());
        }
    }
    return Loaded{std::move(result), values};
}

const Loaded& loaded() {
    static const Loaded once = load();
    return once;
}

}  // namespace

Result<Config> parse_config(std::span<const EnvironmentEntry> environment,
                            std::vector<std::string>* warnings) {
    Config values;
#define XCCL_READ(type, field, variable, initial, rule, sentence)                           \
    if (const std::string* given = find(environment, variable); given && !given->empty()) { \
        const auto value = read(rule, *given);                                              \
        if (!value) return malformed(rule, variable, *given);                               \
        values.field = *value;                                                              \
    }
    XCCL_SETTINGS(XCCL_READ)
#undef XCCL_READ
    apply_fallbacks(environment, &values, warnings);
    for (const auto& [name, value] : environment) {
        if (!is_ours(name)) continue;
        if (std::find(kVariables.begin(), kVariables.end(), name) == kVariables.end()) {
            warnings->push_back(unknown_name(name));
        }
    }
    return values;
}

Result<Config> load_config() {
    return loaded().result;
}

const Config& config() {
    return loaded().values;
}

std::string config_markdown() {
    std::string text =
        "# Configuration\n\n"
        "Made from the table in `src/base/config.h`; do not edit. Nothing here needs to be set.\n"
        "A malformed value is an error of the first initialisation; an unknown `XCCL_` name is\n"
        "warned about once.\n\n"
        "| variable | default | accepted | meaning |\n|---|---|---|---|\n";
    const auto cell = [](const std::string& value) {
        return value.empty() ? std::string("not set") : "`" + value + "`";
    };
#define XCCL_ROW(type, field, variable, initial, rule, sentence)                                \
    text += fmt::format("| `{}` | {} | {} | {} |\n", variable, cell(show(rule, type(initial))), \
                        accepts(rule), sentence);
    XCCL_SETTINGS(XCCL_ROW)
#undef XCCL_ROW
    return text;
}

std::string config_text(const Config& values) {
    std::string text;
    const Config defaults;
#define XCCL_LINE(type, field, variable, initial, rule, sentence)        \
    text += fmt::format("{}={}{}\n", variable, show(rule, values.field), \
                        values.field == defaults.field ? "  (default)" : "");
    XCCL_SETTINGS(XCCL_LINE)
#undef XCCL_LINE
    return text;
}

std::optional<std::string> environment_variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
}

}  // namespace xccl
