#include "report/json_writer.h"

#include <fmt/format.h>

#include <cmath>

namespace xccl::perf {

std::string json_quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        switch (c) {
            case '"':
            case '\\':
            case '/':
                quoted += '\\';
                quoted += c;
                break;
            case '\n':
                quoted += "\\n";
                break;
            case '\t':
                quoted += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    quoted += fmt::format("\\u{:04x}", static_cast<int>(c));
                } else {
                    quoted += c;
                }
        }
    }
    quoted += '"';
    return quoted;
}

void JsonWriter::put(std::string_view text) {
    if (file_ != nullptr) std::fwrite(text.data(), 1, text.size(), file_);
}

void JsonWriter::new_line() {
    put("\n");
    put(std::string(2 * levels_.size(), ' '));
}

void JsonWriter::before_value() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (levels_.empty()) return;
    if (!levels_.back().is_empty) put(",");
    levels_.back().is_empty = false;
    new_line();
}

void JsonWriter::begin(char bracket) {
    before_value();
    put(std::string_view(&bracket, 1));
    levels_.push_back({bracket == '{' ? '}' : ']', true});
}

void JsonWriter::end(char bracket) {
    const bool was_empty = levels_.back().is_empty;
    levels_.pop_back();
    if (!was_empty) new_line();
    put(std::string_view(&bracket, 1));
}

void JsonWriter::key(std::string_view name) {
    before_value();
    put(json_quoted(name));
    put(": ");
    after_key_ = true;
}

void JsonWriter::text(std::string_view value) {
    before_value();
    put(json_quoted(value));
}

void JsonWriter::whole(long long value) {
    before_value();
    put(fmt::format("{}", value));
}

void JsonWriter::real(double value) {
    if (std::isnan(value)) return text("nan");
    if (std::isinf(value)) return text("inf");
    before_value();
    put(fmt::format("{:.6f}", value));
}

void JsonWriter::null() {
    before_value();
    put("null");
}

bool JsonWriter::finish() {
    if (file_ == nullptr) return true;
    if (after_key_) null();
    while (!levels_.empty()) end(levels_.back().closing);
    put("\n");
    const bool written = std::ferror(file_) == 0;
    const bool closed = std::fclose(file_) == 0;
    file_ = nullptr;
    return written && closed;
}

}  // namespace xccl::perf
