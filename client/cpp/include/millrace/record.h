// Records as they are sent and received, and where they lie.
//
// All are plain values: copied and moved freely, safe from any thread that owns them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace millrace::client {

// A named value beside a record's own, such as `traceparent`. The name is UTF-8.
struct Header {
  std::string name = {};
  std::optional<std::string> value = {};  // Absent and empty are told apart.

  friend bool operator==(const Header&, const Header&) = default;
};

// One event.
struct Record {
  std::optional<std::string> key = {};    // Absent: no key. An empty key is a key.
  std::optional<std::string> value = {};  // Absent: a tombstone.
  std::vector<Header> headers = {};       // In order; a name may come several times.
  std::optional<absl::Time> event_time = {};

  friend bool operator==(const Record&, const Record&) = default;
};

// One partition of a topic; partitions are numbered from 0.
struct TopicPartition {
  std::string topic = {};
  int32_t partition = 0;

  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const TopicPartition& p) {
    return H::combine(std::move(h), p.topic, p.partition);
  }
};

// A record as a consumer receives it.
struct ReceivedRecord : Record {
  std::string topic = {};
  int32_t partition = 0;
  int64_t offset = 0;                          // Its place in the partition.
  std::optional<absl::Time> append_time = {};  // The hub's clock. Absent: the engine keeps none.
  int64_t log_epoch = 0;                       // Goes with a position at offset + 1, see Position.
};

// A place in a partition to read from.
struct Position {
  std::string topic = {};
  int32_t partition = 0;
  int64_t offset = 0;  // The offset to read next.
  // The log epoch of the last record read before it. With it the hub refuses a position whose log
  // was replaced or cut since (LOG_EPOCH_CHANGED). Absent: unchecked.
  std::optional<int64_t> log_epoch = {};
};

// What an answer promises.
enum class Durability {
  kHubDefault,  // As the hub is configured; kSynced unless it says otherwise.
  kBuffered,    // Written to the log: survives a kill of the hub, not a power cut.
  kSynced,      // On stable storage: survives a power cut.
};

}  // namespace millrace::client
