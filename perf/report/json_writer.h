// Writes JSON as it comes, in the form of nccl-tests' reports: doubles with six decimals, `/` as
// `\/`, and all that is open closed in the end, so that the file of a failed run can be read too.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace xccl::perf {

class JsonWriter {
  public:
    // Takes the file over; nothing is written where it is null.
    explicit JsonWriter(std::FILE* file) : file_(file) {}
    ~JsonWriter() { finish(); }
    JsonWriter(const JsonWriter&) = delete;
    JsonWriter& operator=(const JsonWriter&) = delete;
    JsonWriter(JsonWriter&&) = delete;
    JsonWriter& operator=(JsonWriter&&) = delete;

    void key(std::string_view name);
    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_list() { begin('['); }
    void end_list() { end(']'); }
    void text(std::string_view value);
    void whole(long long value);
    void real(double value);
    void null();
    // Closes what is open, and the file. Whether all of it was written.
    bool finish();

  private:
    void begin(char bracket);
    void end(char bracket);
    void before_value();
    void put(std::string_view text);
    void new_line();

    struct Level {
        char closing;
        bool is_empty;
    };
    std::FILE* file_;
    std::vector<Level> levels_;
    bool after_key_ = false;
};

// A JSON string with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace xccl::perf
