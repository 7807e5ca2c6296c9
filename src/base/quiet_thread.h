// Starts a thread that handles no signals: those are for the caller's threads.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace xccl {

// This thread handles no signals while it lives, whichever way it ends.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    SignalsBlocked(SignalsBlocked&&) = delete;
    SignalsBlocked& operator=(SignalsBlocked&&) = delete;

  private:
    sigset_t before_;
};

// std::system_error: there is no room for another thread.
template <typename Body>
std::thread quiet_thread(Body&& body) {
    const SignalsBlocked blocked;  // a thread begins with the mask of who starts it
    return std::thread(std::forward<Body>(body));
}

}  // namespace xccl
