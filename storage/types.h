// The vocabulary of the log: offsets, identities, epochs and durability as types of their own, so
// that no two of them can be taken for one another.
//
// All are plain values: copied freely, safe from any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>
#include <utility>

namespace millrace::storage {

// An integer with a meaning. Tag names the meaning; values of different tags do not mix.
template <typename Tag, typename Rep>
class Ordinal {
 public:
  constexpr Ordinal() = default;
  constexpr explicit Ordinal(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(Ordinal, Ordinal) = default;
  friend constexpr Ordinal operator+(Ordinal a, Rep n) { return Ordinal(a.value_ + n); }
  friend constexpr Ordinal operator-(Ordinal a, Rep n) { return Ordinal(a.value_ - n); }
  friend constexpr Rep operator-(Ordinal a, Ordinal b) { return a.value_ - b.value_; }
  constexpr Ordinal& operator+=(Rep n) {
    value_ += n;
    return *this;
  }
  constexpr Ordinal& operator++() {
    ++value_;
    return *this;
  }

  template <typename H>
  friend H AbslHashValue(H h, Ordinal o) {
    return H::combine(std::move(h), o.value_);
  }
  friend std::ostream& operator<<(std::ostream& os, Ordinal o) { return os << o.value_; }

 private:
  Rep value_{};
};

// The place of a record in its partition; the first record of a partition is at 0.
using Offset = Ordinal<struct OffsetTag, int64_t>;

// Names a partition of the whole hub, in the log and in memory. Never used twice in one data
// directory, so that what is left of a deleted topic can never be taken for a new one's.
using PartitionId = Ordinal<struct PartitionIdTag, uint32_t>;

// Counts the lives of the log; see Engine::ValidatePosition.
using LogEpoch = Ordinal<struct LogEpochTag, int64_t>;

// Counts how often a consumer's position in a partition was set anew; decides between two commits.
using PositionEpoch = Ordinal<struct PositionEpochTag, int64_t>;

// Counts the incarnations of a producer; an older one is fenced.
using ProducerEpoch = Ordinal<struct ProducerEpochTag, int64_t>;

// What a completed write promises.
enum class Durability {
  kBuffered,  // Written to the log: survives a kill of the process, not a power cut.
  kSynced,    // On stable storage: survives a power cut.
};

// Milliseconds since the Unix epoch, by the hub's clock.
using UnixMillis = int64_t;
inline constexpr UnixMillis kNoTime = std::numeric_limits<UnixMillis>::min();

}  // namespace millrace::storage
