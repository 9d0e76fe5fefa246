#include "client/cpp/backoff.h"

#include <algorithm>
#include <random>
#include <utility>

namespace millrace::client {
namespace {

double SystemRandom() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

Backoff::Backoff(const BackoffOptions& options, std::function<double()> random)
    : options_(options), random_(random ? std::move(random) : SystemRandom) {}

absl::Duration Backoff::Next() {
  absl::Duration wait = options_.initial;
  for (int i = 0; i < attempts_ && wait < options_.max; ++i) wait *= options_.multiplier;
  ++attempts_;
  return std::min(wait, options_.max) * (1 - options_.jitter * random_());
}

}  // namespace millrace::client
