// Whether a slow client takes anything at all.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace millrace::server {

// How many bytes the peer of a TCP socket has acknowledged so far; 0 where that is not known.
int64_t AcknowledgedBytes(int socket);

// Watches one write after another on a socket. Times are of a clock that never jumps.
class WriteProgress {
 public:
  // A write begins. Costs no system call: there is one for every frame.
  void Begin(absl::Duration now) { taken_at_ = now; }

  // For how long the peer has taken no byte of the write under way. To be asked again and again.
  absl::Duration Silence(int socket, absl::Duration now);

 private:
  int64_t acknowledged_ = 0;  // When it was asked last, maybe before the write began.
  absl::Duration taken_at_;
};

}  // namespace millrace::server
