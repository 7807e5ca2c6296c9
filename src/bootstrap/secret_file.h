// A secret that the processes of a job find in a file.
#pragma once

#include <string>

#include "base/status.h"
#include "trust/secret.h"

namespace xccl {

// A regular file that belongs to this user or to root and that nobody else can read or write. The
// text in it, white space at its end left out, is the secret.
//   invalid_usage  it cannot be read, others may read it, or it holds too little; says what to do
Result<Secret> read_secret_file(const std::string& path);

}  // namespace xccl
