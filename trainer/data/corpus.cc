#include "data/corpus.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "program/failure.h"

namespace xccl::trainer {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;
// Text has a stray control byte at most now and then; compressed data has one in ten.
constexpr std::size_t kTextBytesPerControl = 200;

bool is_control(std::uint8_t byte) {
    return byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f' &&
           byte != 0x1b;  // escape: the colours of a log
}

void refuse_binary(std::span<const std::uint8_t> bytes, const std::string& name) {
    const auto zero = std::find(bytes.begin(), bytes.end(), 0);
    if (zero != bytes.end()) {
        throw Failure(kBadText,
                      "{} is not plain text: it has a zero byte at offset {}. Convert it to UTF-8 "
                      "text first (it may be binary, compressed or UTF-16).",
                      name, zero - bytes.begin());
    }
    const auto controls = std::count_if(bytes.begin(), bytes.end(), is_control);
    if (static_cast<std::size_t>(controls) > bytes.size() / kTextBytesPerControl + 1) {
        throw Failure(kBadText,
                      "{} is not plain text: {} of its {} bytes are control characters. Convert it "
                      "to UTF-8 text first.",
                      name, controls, bytes.size());
    }
}

constexpr std::size_t kMaxParts = 16;

std::size_t windows_in(std::size_t bytes, std::size_t sequence_length) {
    return bytes == 0 ? 0 : (bytes - 1) / sequence_length;
}

// How a text of so many bytes is cut.
struct Cut {
    std::size_t part_count = 1, part_bytes = 0, training_bytes = 0;  // of each part
};

Cut cut(std::size_t bytes, const CorpusShape& shape) {
    Cut cut;
    for (cut.part_count = kMaxParts;; cut.part_count /= 2) {
        cut.part_bytes = bytes / cut.part_count;
        const double held_out =
            std::ceil(static_cast<double>(cut.part_bytes) * shape.validation_fraction);
        cut.training_bytes =
            cut.part_bytes - std::min(cut.part_bytes, static_cast<std::size_t>(held_out));
        const std::size_t held_out_bytes = cut.part_bytes - cut.training_bytes;
        if (cut.part_count == 1 || windows_in(held_out_bytes, shape.sequence_length) > 0)
            return cut;
    }
}

bool is_enough(std::size_t bytes, const CorpusShape& shape) {
    const auto [parts, part_bytes, training_bytes] = cut(bytes, shape);
    const std::size_t held_out_bytes = part_bytes - training_bytes;
    return parts * windows_in(training_bytes, shape.sequence_length) >= shape.samples_per_step &&
           windows_in(held_out_bytes, shape.sequence_length) >= 1;
}

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    int number() const { return number_; }

  private:
    int number_;
};

}  // namespace

Windows::Windows(std::span<const std::uint8_t> text, std::size_t part_bytes, std::size_t begin,
                 std::size_t length, std::size_t sequence_length)
    : text_(text.data()),
      part_bytes_(part_bytes),
      part_count_(part_bytes == 0 ? 0 : text.size() / part_bytes),
      begin_(begin),
      count_of_part_(windows_in(length, sequence_length)),
      sequence_length_(sequence_length) {}

Corpus::Corpus(std::vector<std::uint8_t> bytes, const std::string& name, const CorpusShape& shape)
    : bytes_(std::move(bytes)) {
    if (bytes_.empty()) {
        throw Failure(kBadText, "{} is empty. Give a text of some hundred kilobytes or more.",
                      name);
    }
    refuse_binary(bytes_, name);
    if (is_enough(bytes_.size(), shape)) {
        const auto [parts, part_bytes, training_bytes] = cut(bytes_.size(), shape);
        const std::span<const std::uint8_t> text = std::span(bytes_).first(parts * part_bytes);
        training_ = Windows(text, part_bytes, 0, training_bytes, shape.sequence_length);
        validation_ = Windows(text, part_bytes, training_bytes, part_bytes - training_bytes,
                              shape.sequence_length);
        return;
    }
    std::size_t needed = shape.samples_per_step * shape.sequence_length;
    while (!is_enough(needed, shape)) needed += needed / 1000 + 1;
    throw Failure(kBadText,
                  "{} is too short: {} bytes, but {} sequences of {} bytes in a step and {:.3g} % "
                  "held out need about {}. Take a longer text, or a smaller --batch or "
                  "--sequence-length.",
                  name, bytes_.size(), shape.samples_per_step, shape.sequence_length,
                  100 * shape.validation_fraction, needed);
}

std::vector<std::uint8_t> read_file(const std::string& path) {
    const auto failure = [&path](int error) {
        return Failure(kBadText, "cannot read {}: {}. Give a readable text file with --text.", path,
                       std::strerror(error));
    };
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number() < 0) throw failure(errno);
    struct stat about {};
    if (fstat(file.number(), &about) != 0) throw failure(errno);
    if (S_ISDIR(about.st_mode)) throw failure(EISDIR);

    std::vector<std::uint8_t> bytes;
    bytes.reserve(static_cast<std::size_t>(std::max<off_t>(about.st_size, 0)) + 1);
    for (;;) {
        const std::size_t size = bytes.size();
        bytes.resize(std::max(size + kReadBytes, bytes.capacity()));
        const ssize_t got = read(file.number(), bytes.data() + size, bytes.size() - size);
        bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno != EINTR) throw failure(errno);
        if (got == 0) return bytes;
    }
}

}  // namespace xccl::trainer
