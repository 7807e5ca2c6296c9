// Any environment at all: the parser of the settings accepts it or says what is wrong, in a line
// that a terminal can show, and never gives a secret away.
//
// Input: lines NAME=value.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "fuzz_expect.h"

namespace {

using namespace xccl;

std::vector<EnvironmentEntry> environment_of(std::string_view text) {
    std::vector<EnvironmentEntry> environment;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        }
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return environment;
}

bool is_one_line(const std::string& text) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    return text.size() < 1000 && std::none_of(text.begin(), text.end(), is_control);
}

// What is shown is the same whatever the secrets are.
void expect_secrets_hidden(const Config& config) {
    Config other = config;
    if (!other.secret.empty()) other.secret = "another secret, of another length";
    if (!other.job_id.empty()) other.job_id = "0123";
    FUZZ_EXPECT(config_text(config) == config_text(other));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto environment =
        environment_of(std::string_view(reinterpret_cast<const char*>(data), size));
    std::vector<std::string> warnings;
    const Result<Config> parsed = parse_config(environment, &warnings);
    for (const std::string& warning : warnings) FUZZ_EXPECT(is_one_line(warning));
    if (!parsed.ok()) {
        FUZZ_EXPECT(parsed.status().code() == xcclInvalidArgument);
        FUZZ_EXPECT(!parsed.status().text().empty() && is_one_line(parsed.status().text()));
        return 0;
    }
    const Config& config = parsed.value();
    FUZZ_EXPECT(config.tcp_streams >= 1 && config.tcp_streams <= 16);
    FUZZ_EXPECT(config.slot_bytes == 0 || config.slot_bytes >= 4096);
    FUZZ_EXPECT(config.secret.empty() || config.secret.size() >= kMinSecretBytes);
    expect_secrets_hidden(config);
    return 0;
}
