#pragma once

#include <pthread.h>

#include <csignal>

namespace hc {

/// Blocks all signals while it lives, for a thread that is started meanwhile and inherits that: a signal's handler
/// belongs to the program, and shall not run on a thread that the program does not know.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace hc
