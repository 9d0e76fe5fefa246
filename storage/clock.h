// Where time comes from. Handed to everything that asks for the time, so that a test can move it.
#pragma once

#include "absl/time/time.h"

namespace millrace::storage {

// Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock's time. May jump in either direction, as wall clocks do.
  virtual absl::Time Now() const = 0;

  // The machine's clock; lives as long as the process.
  static const Clock& System();
};

}  // namespace millrace::storage
