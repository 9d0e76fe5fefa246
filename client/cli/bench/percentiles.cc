#include "client/cli/bench/percentiles.h"

#include <algorithm>
#include <cmath>

namespace millrace::cli {

absl::Duration Percentiles::At(double share) {
  if (samples_us_.empty()) return absl::ZeroDuration();
  if (sorted_ != samples_us_.size()) std::sort(samples_us_.begin(), samples_us_.end());
  sorted_ = samples_us_.size();
  const double rank = std::ceil(share * static_cast<double>(samples_us_.size()));
  const auto at = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  return absl::Microseconds(samples_us_[std::min(at, samples_us_.size() - 1)]);
}

}  // namespace millrace::cli
