// Sizing a file in memory, without the signal that a limit on the size of files raises.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>

#include "transport/system_calls.h"

namespace xccl {

// Growing a file past RLIMIT_FSIZE raises SIGXFSZ, which would end the program. Turns it into the
// error that comes with it.
class WithoutFileSizeSignal {
  public:
    WithoutFileSizeSignal() {
        sigemptyset(&signal_);
        sigaddset(&signal_, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    }
    WithoutFileSizeSignal(const WithoutFileSizeSignal&) = delete;
    WithoutFileSizeSignal& operator=(const WithoutFileSizeSignal&) = delete;
    WithoutFileSizeSignal(WithoutFileSizeSignal&&) = delete;
    WithoutFileSizeSignal& operator=(WithoutFileSizeSignal&&) = delete;
    ~WithoutFileSizeSignal() {
        if (!sigismember(&before_, SIGXFSZ)) {
            const timespec at_once{};
            sigtimedwait(&signal_, nullptr, &at_once);  // the one raised here, if any
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

  private:
    sigset_t signal_;
    sigset_t before_;
};

// 0, or the error.
inline int set_file_size(const SystemCalls& calls, int descriptor, std::size_t bytes) {
    const WithoutFileSizeSignal quiet;
    while (calls.ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

}  // namespace xccl
