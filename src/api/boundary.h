// The C boundary: every extern "C" function is one c_boundary().
//
// Nothing throws across it; the result code goes to the caller and the text to this thread's last
// error. The common success costs a branch.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "base/status.h"

namespace xccl {

void set_last_error(const std::string& text);
const std::string& last_error();

template <typename Body>
xcclResult_t c_boundary(Body&& body) noexcept {
    Status status;
    try {
        status = body();
        if (status.ok()) return xcclSuccess;
        if (status.code() != xcclInProgress) set_last_error(status.text());
        return status.code();
    } catch (const std::bad_alloc&) {
        try {
            set_last_error(
                "out of memory; free some or use fewer communicators and smaller buffers");
        } catch (...) {
        }
        return xcclSystemError;
    } catch (const std::exception& failure) {
        try {
            set_last_error(std::string("bug in xccl, please report: ") + failure.what());
        } catch (...) {
        }
        return xcclInternalError;
    }
}

}  // namespace xccl
