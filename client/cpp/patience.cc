#include "client/cpp/patience.h"

#include <algorithm>
#include <thread>

#include "client/cpp/monotonic.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {

Patience::Patience(const ConnectionOptions& options)
    : deadline_(MonotonicNow() + options.request_timeout), backoff_(options.backoff) {}

bool Patience::WaitToRetry(const absl::Status& status) {
  if (!IsTransient(status)) return false;
  const absl::Duration wait =
      std::max(backoff_.Next(), RetryAfterOf(status).value_or(absl::ZeroDuration()));
  if (MonotonicNow() + wait >= deadline_) return false;
  std::this_thread::sleep_for(absl::ToChronoNanoseconds(wait));
  return true;
}

}  // namespace millrace::client
