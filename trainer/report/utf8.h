// Bytes that a model made up, as text that terminals and documents can show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xccl::trainer {

inline constexpr const char* kReplacementCharacter = "\xef\xbf\xbd";

// The bytes of the character that begins at `at`: 1 to 4, or 0 if none does that a document may
// hold: bytes that are not UTF-8, and controls other than line's end and tabulator.
std::size_t utf8_length(std::string_view text, std::size_t at);

// Turns bytes that come one by one into text: characters come out when they are complete, and what
// can't become one as a replacement character.
class PrintableText {
  public:
    // What can be shown now, of all bytes so far.
    std::string add(char byte);
    // What is left when no more bytes come.
    std::string finish();

  private:
    std::string take(bool all);

    std::string pending_;
};

}  // namespace xccl::trainer
