#include "bootstrap/pmi_wire.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace xccl {
namespace {

constexpr std::size_t kLengthPlaces = 6;

// "name=value". Words without '=' are what is left of a message text with spaces: of no interest.
void add_field(std::string_view word, PmiMessage* message) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    message->fields.emplace_back(word.substr(0, equals), word.substr(equals + 1));
}

PmiMessage split_at_spaces(std::string_view line) {
    PmiMessage message;
    while (!line.empty()) {
        const std::string_view word = line.substr(0, line.find(' '));
        add_field(word, &message);
        line.remove_prefix(std::min(line.size(), word.size() + 1));
    }
    return message;
}

// A semicolon ends a field; two of them are one that belongs to it.
PmiMessage split_at_semicolons(std::string_view body) {
    PmiMessage message;
    std::string field;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] != ';') {
            field += body[i];
        } else if (i + 1 < body.size() && body[i + 1] == ';') {
            field += ';';
            ++i;
        } else {
            add_field(field, &message);
            field.clear();
        }
    }
    add_field(field, &message);
    return message;
}

Result<std::optional<PmiMessage>> with_command(PmiMessage message) {
    if (message.fields.empty() || message.fields.front().first != "cmd") {
        return system_error("the launcher's PMI sent a message without a command");
    }
    message.command = std::move(message.fields.front().second);
    message.fields.erase(message.fields.begin());
    return std::optional(std::move(message));
}

Status too_long() {
    return system_error("the launcher's PMI sent a message of more than {} bytes",
                        kMaxPmiMessageBytes);
}

Result<std::optional<PmiMessage>> take_line(std::string* received) {
    const std::size_t end = received->find('\n');
    if (end > kMaxPmiMessageBytes && received->size() > kMaxPmiMessageBytes) return too_long();
    if (end == std::string::npos) return std::optional<PmiMessage>();
    const std::string line = received->substr(0, end);
    received->erase(0, end + 1);
    return with_command(split_at_spaces(line));
}

Result<std::optional<PmiMessage>> take_counted(std::string* received) {
    if (received->size() < kLengthPlaces) return std::optional<PmiMessage>();
    const std::string places = received->substr(0, kLengthPlaces);
    const std::size_t first = std::min(places.find_first_not_of(' '), kLengthPlaces - 1);
    const std::size_t last = places.find_last_not_of(' ');
    const auto length = whole_number<int>(places.substr(first, last + 1 - first));
    if (!length || *length < 0) return system_error("the launcher's PMI sent no length");
    const auto size = static_cast<std::size_t>(*length);
    if (size > kMaxPmiMessageBytes) return too_long();
    if (received->size() < kLengthPlaces + size) return std::optional<PmiMessage>();
    const std::string body = received->substr(kLengthPlaces, size);
    received->erase(0, kLengthPlaces + size);
    return with_command(split_at_semicolons(body));
}

std::string doubled_semicolons(const std::string& text) {
    std::string result;
    for (const char c : text) result.append(c == ';' ? 2 : 1, c);
    return result;
}

}  // namespace

const std::string* PmiMessage::find(const std::string& name) const {
    for (const auto& [key, value] : fields) {
        if (key == name) return &value;
    }
    return nullptr;
}

std::optional<int> PmiMessage::number(const std::string& name) const {
    const std::string* const text = find(name);
    return text != nullptr ? whole_number<int>(*text) : std::nullopt;
}

std::string encode(PmiVersion version, const PmiMessage& message) {
    if (version == PmiVersion::kOne) {
        std::string line = "cmd=" + message.command;
        for (const auto& [name, value] : message.fields) {
            line.append(" ").append(name).append("=").append(value);
        }
        return line + "\n";
    }
    std::string body = "cmd=" + message.command + ";";
    for (const auto& [name, value] : message.fields) {
        body += name + "=" + doubled_semicolons(value) + ";";
    }
    return fmt::format("{:6}{}", body.size(), body);
}

Result<std::optional<PmiMessage>> take_message(PmiVersion version, std::string* received) {
    return version == PmiVersion::kOne ? take_line(received) : take_counted(received);
}

}  // namespace xccl
