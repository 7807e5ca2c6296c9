// A file that appears when it is complete, or not at all.
//
// Bytes go to PATH.part beside it, which takes its place on commit() and is removed otherwise. Room
// can be reserved up front, so that a full disk is found before a run and not after it. A path that
// is no regular file (a pipe, /dev/stdout) is written to as it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xccl::trainer {

class OutputFile {
  public:
    // Creates the file and reserves room (0: none). Throws Failure (kOutputFailed), as all of these
    // do; `what` ("report") and the option that would change it stand in the message.
    OutputFile(const std::string& what, const std::string& path, std::size_t reserved_bytes);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    OutputFile(OutputFile&&) = delete;
    OutputFile& operator=(OutputFile&&) = delete;

    // Appends, unbuffered: a reader of PATH.part sees it at once.
    void write(std::string_view bytes);
    // On disk, under its own name.
    void commit();

  private:
    [[noreturn]] void fail(const char* action, int error);
    void discard();

    std::string what_;
    std::string path_;
    std::string part_;  // where bytes go; equal to path_ for what is no regular file
    std::size_t reserved_bytes_;
    std::size_t written_bytes_ = 0;
    int descriptor_ = -1;
};

}  // namespace xccl::trainer
