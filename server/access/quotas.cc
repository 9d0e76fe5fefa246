#include "server/access/quotas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "absl/time/time.h"
#include "server/access/access_rules.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

constexpr size_t kPlaces = 3;
constexpr size_t kFirstSweep = 1024;  // Principals.

// What rounding may add to what is owed.
constexpr double kSlack = 1e-6;

// A token bucket, kept as what is missing from it. Full while nothing is owed.
class Bucket {
 public:
  void Pass(absl::Duration time, int64_t per_second) {
    owed_ = std::max(0.0, owed_ - absl::ToDoubleSeconds(time) * static_cast<double>(per_second));
  }

  // Until so much may be taken; zero: now.
  absl::Duration Wait(int64_t amount, int64_t per_second) const {
    if (amount <= 0) return absl::ZeroDuration();
    const double over =
        owed_ + static_cast<double>(std::min(amount, per_second)) - static_cast<double>(per_second);
    return over <= kSlack ? absl::ZeroDuration()
                          : absl::Seconds(over / static_cast<double>(per_second));
  }

  void Take(int64_t amount) { owed_ += static_cast<double>(amount); }
  void Forget() { owed_ = 0; }
  bool full() const { return owed_ <= kSlack; }

 private:
  double owed_ = 0;
};

// A rate of a principal, with what has been taken of it.
struct Rate {
  const char* quota;
  Bucket& bucket;
  std::optional<int64_t> per_second;
  int64_t amount = 0;
};

struct Usage {
  QuotaLimits limits;
  Bucket requests;
  Bucket bytes;
  absl::Time counted_at;
  std::array<int64_t, kPlaces> places{};

  std::array<Rate, 2> Rates(int64_t request_count, int64_t byte_count) {
    return {{{"requests_per_second", requests, limits.requests_per_second, request_count},
             {"produce_bytes_per_second", bytes, limits.produce_bytes_per_second, byte_count}}};
  }

  // A clock that jumped back gives nothing, and counts on from where it is.
  void CountTo(absl::Time now) {
    const absl::Duration passed = std::max(now - counted_at, absl::ZeroDuration());
    counted_at = now;
    for (const Rate& rate : Rates(0, 0)) {
      if (rate.per_second) {
        rate.bucket.Pass(passed, *rate.per_second);
      } else {
        rate.bucket.Forget();
      }
    }
  }

  bool idle() const {
    return requests.full() && bytes.full() &&
           std::all_of(places.begin(), places.end(), [](int64_t count) { return count == 0; });
  }
};

struct PlaceLimit {
  const char* quota;
  std::optional<int64_t> QuotaLimits::*limit;
};

PlaceLimit LimitOf(Place place) {
  switch (place) {
    case Place::kConnection:
      return {"max_connections", &QuotaLimits::max_connections};
    case Place::kStream:
      return {"max_streams", &QuotaLimits::max_streams};
    case Place::kSubscription:
      break;
  }
  return {"max_subscriptions", &QuotaLimits::max_subscriptions};
}

absl::Status Exceeded(std::string_view principal, const char* quota, int64_t limit,
                      std::optional<absl::Duration> retry_after) {
  storage::ErrorMetadata metadata = {
      {"principal", std::string(principal)}, {"quota", quota}, {"limit", std::to_string(limit)}};
  if (retry_after) {
    const double milliseconds = std::ceil(absl::ToDoubleMilliseconds(*retry_after));
    metadata["retry_after_ms"] = std::to_string(static_cast<int64_t>(milliseconds));
  }
  return storage::Error(
      storage::Reason::kQuotaExceeded,
      std::string(principal) + " has used up its quota: " + quota + " is " + std::to_string(limit),
      metadata);
}

}  // namespace

class Quotas::State {
 public:
  using Connection = std::pair<std::string, std::string>;  // Of a principal.

  explicit State(const storage::Clock& clock) : clock_(clock) {}

  void Configure(std::vector<QuotaRule> rules) {
    const absl::Time now = clock_.Now();
    const std::lock_guard lock(mutex_);
    rules_ = std::move(rules);
    for (auto& [principal, usage] : usages_) {
      usage.CountTo(now);
      usage.limits = LimitsOf(principal);
    }
  }

  absl::Status Take(std::string_view principal, int64_t requests, int64_t produce_bytes) {
    const std::lock_guard lock(mutex_);
    if (rules_.empty()) return absl::OkStatus();
    Usage& usage = UsageOf(principal);
    usage.CountTo(clock_.Now());
    const std::array<Rate, 2> rates = usage.Rates(requests, produce_bytes);
    const Rate* slowest = nullptr;
    absl::Duration wait;
    for (const Rate& rate : rates) {
      if (!rate.per_second) continue;
      const absl::Duration of_rate = rate.bucket.Wait(rate.amount, *rate.per_second);
      if (of_rate <= wait) continue;
      wait = of_rate;
      slowest = &rate;
    }
    if (slowest != nullptr) return Exceeded(principal, slowest->quota, *slowest->per_second, wait);
    for (const Rate& rate : rates) {
      if (rate.per_second) rate.bucket.Take(rate.amount);
    }
    return absl::OkStatus();
  }

  absl::Status Enter(std::string_view principal, Place place) {
    const std::lock_guard lock(mutex_);
    return TakePlace(principal, place);
  }

  void Leave(const std::string& principal, Place place) {
    const std::lock_guard lock(mutex_);
    GiveBackPlace(principal, place);
  }

  absl::Status EnterConnection(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    const auto known = open_on_.find(connection);
    if (known != open_on_.end()) {
      ++known->second;
      return absl::OkStatus();
    }
    absl::Status status = TakePlace(connection.first, Place::kConnection);
    if (status.ok()) open_on_[connection] = 1;
    return status;
  }

  void LeaveConnection(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    const auto known = open_on_.find(connection);
    if (--known->second > 0) return;
    open_on_.erase(known);
    GiveBackPlace(connection.first, Place::kConnection);
  }

  size_t principals() const {
    const std::lock_guard lock(mutex_);
    return usages_.size();
  }

 private:
  absl::Status TakePlace(std::string_view principal, Place place) {
    Usage& usage = UsageOf(principal);
    int64_t& count = usage.places[static_cast<size_t>(place)];
    const PlaceLimit limit = LimitOf(place);
    const std::optional<int64_t> most = usage.limits.*limit.limit;
    if (most && count >= *most) return Exceeded(principal, limit.quota, *most, std::nullopt);
    ++count;
    return absl::OkStatus();
  }

  void GiveBackPlace(const std::string& principal, Place place) {
    --usages_.find(principal)->second.places[static_cast<size_t>(place)];
  }

  QuotaLimits LimitsOf(std::string_view principal) const {
    for (const QuotaRule& rule : rules_) {
      for (const std::string& pattern : rule.principals) {
        if (MeansPrincipal(pattern, principal)) return rule.limits;
      }
    }
    return {};
  }

  Usage& UsageOf(std::string_view principal) {
    const auto found = usages_.find(principal);
    if (found != usages_.end()) return found->second;
    const absl::Time now = clock_.Now();
    if (usages_.size() >= sweep_at_) Sweep(now);
    Usage& usage = usages_[std::string(principal)];
    usage.limits = LimitsOf(principal);
    usage.counted_at = now;
    return usage;
  }

  // Idle principals are as if they had never come. Where many are left, it waits for twice as many,
  // so that a newcomer costs little on average.
  void Sweep(absl::Time now) {
    for (auto& [principal, usage] : usages_) usage.CountTo(now);
    std::erase_if(usages_, [](const auto& entry) { return entry.second.idle(); });
    sweep_at_ = std::max(kFirstSweep, 2 * usages_.size());
  }

  const storage::Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<QuotaRule> rules_;
  std::map<std::string, Usage, std::less<>> usages_;
  std::map<Connection, int64_t> open_on_;  // How much; never 0.
  size_t sweep_at_ = kFirstSweep;
};

Quotas::Quotas(const storage::Clock& clock) : state_(std::make_shared<State>(clock)) {}
Quotas::~Quotas() = default;

void Quotas::Configure(std::vector<QuotaRule> rules) { state_->Configure(std::move(rules)); }

absl::Status Quotas::Take(std::string_view principal, int64_t requests, int64_t produce_bytes) {
  return state_->Take(principal, requests, produce_bytes);
}

absl::StatusOr<std::shared_ptr<const void>> Quotas::Enter(std::string_view principal, Place place) {
  absl::Status status = state_->Enter(principal, place);
  if (!status.ok()) return status;
  return std::shared_ptr<const void>(
      state_.get(), [state = state_, name = std::string(principal), place](const void*) {
        state->Leave(name, place);
      });
}

absl::StatusOr<std::shared_ptr<const void>> Quotas::EnterConnection(std::string_view principal,
                                                                    std::string_view connection) {
  State::Connection key(principal, connection);
  absl::Status status = state_->EnterConnection(key);
  if (!status.ok()) return status;
  return std::shared_ptr<const void>(
      state_.get(),
      [state = state_, key = std::move(key)](const void*) { state->LeaveConnection(key); });
}

size_t Quotas::principals() const { return state_->principals(); }

}  // namespace millrace::server
