// Failures as values. A Status is a result code and a text that names cause, rank and next step.
//
// Success costs one null pointer. The text is written by whoever knows the cause; callers pass it
// on with XCCL_TRY and never log it again.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "xccl.h"

namespace xccl {

class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(xcclResult_t code, std::string text)
        : failure_(code == xcclSuccess ? nullptr
                                       : std::make_shared<Failure>(code, std::move(text))) {}

    bool ok() const { return failure_ == nullptr; }
    xcclResult_t code() const { return failure_ ? failure_->code : xcclSuccess; }
    const std::string& text() const {
        static const std::string none;
        return failure_ ? failure_->text : none;
    }

  private:
    struct Failure {
        Failure(xcclResult_t c, std::string t) : code(c), text(std::move(t)) {}
        xcclResult_t code;
        std::string text;
    };
    std::shared_ptr<const Failure> failure_;  // null: success
};

inline Status ok_status() {
    return Status();
}

// invalid_argument("rank {} is outside [0, {})", rank, count) and its kin.
#define XCCL_DEFINE_FAILURE(name, code)                                      \
    template <typename... Args>                                              \
    Status name(fmt::format_string<Args...> text, Args&&... args) {          \
        return Status(code, fmt::format(text, std::forward<Args>(args)...)); \
    }
XCCL_DEFINE_FAILURE(invalid_argument, xcclInvalidArgument)
XCCL_DEFINE_FAILURE(invalid_usage, xcclInvalidUsage)
XCCL_DEFINE_FAILURE(system_error, xcclSystemError)
XCCL_DEFINE_FAILURE(internal_error, xcclInternalError)
XCCL_DEFINE_FAILURE(remote_error, xcclRemoteError)
XCCL_DEFINE_FAILURE(timeout_error, xcclTimeout)
#undef XCCL_DEFINE_FAILURE

// "mmap: Cannot allocate memory (errno 12)": what a failed system call says of itself.
std::string errno_text(const char* call, int error);

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
    Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose

    bool ok() const { return value_.has_value(); }
    const Status& status() const { return status_; }
    T& value() & { return *value_; }
    const T& value() const& { return *value_; }
    T&& value() && { return std::move(*value_); }
    T* operator->() { return &*value_; }
    const T* operator->() const { return &*value_; }
    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }

  private:
    std::optional<T> value_;
    Status status_;
};

inline const Status& status_of(const Status& status) {
    return status;
}
template <typename T>
const Status& status_of(const Result<T>& result) {
    return result.status();
}

}  // namespace xccl

#define XCCL_CONCAT_INNER(a, b) a##b
#define XCCL_CONCAT(a, b) XCCL_CONCAT_INNER(a, b)

// XCCL_TRY(expression) returns the failure of a Status or Result to the caller.
#define XCCL_TRY(expression)                                    \
    do {                                                        \
        auto&& xccl_try = (expression);                         \
        if (!xccl_try.ok()) return ::xccl::status_of(xccl_try); \
    } while (0)

// XCCL_ASSIGN(auto x, expression) unwraps a Result or returns its failure.
#define XCCL_ASSIGN(target, expression) \
    XCCL_ASSIGN_INNER(XCCL_CONCAT(xccl_result_, __LINE__), target, expression)
#define XCCL_ASSIGN_INNER(result, target, expression) \
    auto result = (expression);                       \
    if (!result.ok()) return result.status();         \
    target = std::move(result).value()
