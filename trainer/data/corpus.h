// The text that is trained on: bytes, of which the last part is held out.
//
// The held-out part is contiguous and at the end, so that no sentence of it was seen in training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xccl::trainer {

// What must fit, for a text to be long enough.
struct CorpusShape {
    std::size_t sequence_length = 0;   // T
    std::size_t samples_per_step = 0;  // a step takes no sample twice
    double validation_fraction = 0;
};

class Corpus {
  public:
    // `name` is for messages. Throws Failure (kBadText) if the text is empty, binary or too short.
    Corpus(std::vector<std::uint8_t> bytes, const std::string& name, const CorpusShape& shape);

    std::span<const std::uint8_t> training() const {
        return std::span(bytes_).first(training_bytes_);
    }
    std::span<const std::uint8_t> validation() const {
        return std::span(bytes_).subspan(training_bytes_);
    }
    std::span<const std::uint8_t> all() const { return bytes_; }

  private:
    std::vector<std::uint8_t> bytes_;
    std::size_t training_bytes_;
};

// Windows of T bytes, each with a byte behind it, that `text` holds side by side.
std::size_t window_count(std::span<const std::uint8_t> text, std::size_t sequence_length);

// All bytes of the file. Throws Failure (kBadText).
std::vector<std::uint8_t> read_file(const std::string& path);

}  // namespace xccl::trainer
