// The text that is trained on: bytes, of which a fraction is held out.
//
// The text is cut into up to 16 parts of equal length, and the end of each part is held out: so
// what is held out resembles what is learned from, wherever the text changes its subject, and yet
// each piece of it is contiguous and never seen in training.
//
//     learned from ........ | held out | learned from ........ | held out | ...
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

// Windows of T bytes, each with the byte that follows it: those of one kind, from all parts.
class Windows {
  public:
    Windows() = default;
    // Windows in [begin, begin + length) of each part; part p begins at text[p * part_bytes].
    Windows(std::span<const std::uint8_t> text, std::size_t part_bytes, std::size_t begin,
            std::size_t length, std::size_t sequence_length);

    std::size_t count() const { return part_count_ * count_of_part_; }
    // [T + 1] bytes. index < count().
    const std::uint8_t* at(std::size_t index) const {
        return text_ + index / count_of_part_ * part_bytes_ + begin_ +
               index % count_of_part_ * sequence_length_;
    }

  private:
    const std::uint8_t* text_ = nullptr;
    std::size_t part_bytes_ = 0;
    std::size_t part_count_ = 0;
    std::size_t begin_ = 0;
    std::size_t count_of_part_ = 0;
    std::size_t sequence_length_ = 0;
};

class Corpus {
  public:
    // `name` is for messages. Throws Failure (kBadText) if the text is empty, binary or too short.
    Corpus(std::vector<std::uint8_t> bytes, const std::string& name, const CorpusShape& shape);
    Corpus(Corpus&&) = default;
    Corpus& operator=(Corpus&&) = default;
    Corpus(const Corpus&) = delete;
    Corpus& operator=(const Corpus&) = delete;
    ~Corpus() = default;

    const Windows& training() const { return training_; }
    const Windows& validation() const { return validation_; }
    std::span<const std::uint8_t> all() const { return bytes_; }

  private:
    std::vector<std::uint8_t> bytes_;
    Windows training_, validation_;
};

// All bytes of the file. Throws Failure (kBadText).
std::vector<std::uint8_t> read_file(const std::string& path);

}  // namespace xccl::trainer
