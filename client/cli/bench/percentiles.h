// How long things took, as the share of them that took no longer.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace millrace::cli {

// Keeps every sample: exact, and 8 bytes each. One thread at a time.
class Percentiles {
 public:
  void Add(absl::Duration sample) { samples_us_.push_back(absl::ToDoubleMicroseconds(sample)); }

  size_t count() const { return samples_us_.size(); }

  // The smallest sample that `share` (0 to 1) of all do not exceed; zero without samples.
  absl::Duration At(double share);

 private:
  std::vector<double> samples_us_;
  size_t sorted_ = 0;  // So many are in order.
};

}  // namespace millrace::cli
