// One line on a terminal that is written over again and again.
#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"

namespace millrace::cli {

// Writes to standard error, and nothing at all where that is no terminal. One thread at a time.
class Progress {
 public:
  // `enabled` false: writes nothing either way.
  explicit Progress(bool enabled);
  ~Progress();  // As Clear.

  // Shows `text` where the last one was shown some time ago; `text` is not called otherwise.
  void Update(const std::function<std::string()>& text);

  // Takes the line away.
  void Clear();

 private:
  const bool enabled_;
  bool shown_ = false;
  absl::Time last_;
};

}  // namespace millrace::cli
