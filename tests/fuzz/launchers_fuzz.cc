// Anything at all that a launcher may say. In the environment: a place is found whose numbers are
// in order, or what is wrong is said in a line that a terminal can show. Over PMI: the same
// messages come out however the bytes are cut up, and nothing is read twice.
//
// Input: 'e' and lines NAME=value; or '1' or '2', the version of PMI, and bytes.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "bootstrap/launch.h"
#include "bootstrap/pmi_wire.h"
#include "fuzz_expect.h"

namespace {

using namespace xccl;

void try_environment(std::string_view text) {
    std::map<std::string, std::string> environment;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) {
            environment[std::string(line.substr(0, equals))] = line.substr(equals + 1);
        }
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    const auto variable = [&](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end() || found->second.empty()) return std::nullopt;
        return found->second;
    };
    const auto launch = detect_launch(variable, [] { return PmixStanding{4, 1, 2}; });
    if (!launch.ok()) {
        FUZZ_EXPECT(launch.status().code() == xcclInvalidArgument);
        const std::string& said = launch.status().text();
        FUZZ_EXPECT(!said.empty() && said.size() < 500);
        FUZZ_EXPECT(std::none_of(said.begin(), said.end(),
                                 [](unsigned char c) { return c < 0x20 || c >= 0x7f; }));
        return;
    }
    FUZZ_EXPECT(launch->rank >= 0 && launch->rank < launch->size && launch->size <= kMaxRanks);
    FUZZ_EXPECT(launch->local_rank >= 0 && launch->local_size >= 0);
    FUZZ_EXPECT(!launch->launcher.empty());
}

struct Heard {
    std::vector<std::string> messages;  // in version 1's writing
    bool refused = false;
    bool operator==(const Heard& other) const {
        return messages == other.messages && refused == other.refused;
    }
};

void take_all(PmiVersion version, std::string* received, Heard* heard) {
    while (!heard->refused) {
        const std::size_t before = received->size();
        const auto message = take_message(version, received);
        heard->refused = !message.ok();
        if (!message.ok() || !message->has_value()) return;
        FUZZ_EXPECT(received->size() < before);
        heard->messages.push_back(encode(PmiVersion::kOne, **message));
    }
}

void try_messages(PmiVersion version, std::string_view bytes) {
    Heard at_once;
    std::string all(bytes);
    take_all(version, &all, &at_once);
    Heard byte_by_byte;
    std::string received;
    for (const char c : bytes) {
        received += c;
        take_all(version, &received, &byte_by_byte);
    }
    FUZZ_EXPECT(at_once == byte_by_byte);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (text.empty()) return 0;
    if (text[0] == 'e') try_environment(text.substr(1));
    if (text[0] == '1') try_messages(PmiVersion::kOne, text.substr(1));
    if (text[0] == '2') try_messages(PmiVersion::kTwo, text.substr(1));
    return 0;
}
