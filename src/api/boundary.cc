#include "api/boundary.h"

namespace xccl {
namespace {

std::string& text_of_this_thread() {
    thread_local std::string text;
    return text;
}

}  // namespace

void set_last_error(const std::string& text) {
    text_of_this_thread() = text;
}
const std::string& last_error() {
    return text_of_this_thread();
}

}  // namespace xccl
