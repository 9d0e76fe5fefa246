// A consumer and the hub that misbehaves for it, with what its tests say again and again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "client/cpp/monotonic.h"
#include "millrace/consumer.h"
#include "millrace/error.h"
#include "tests/support/fake_hub.h"

namespace millrace::client {

using millrace::testing::FakeHub;
using millrace::testing::MakeRequestError;

inline constexpr absl::Duration kLong = absl::Seconds(20);

inline std::vector<std::string> Numbers(int first, int last) {
  std::vector<std::string> numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

inline std::shared_ptr<Connection> ConnectTo(const FakeHub& hub) {
  return *Connection::Open(
      {.target = hub.target(),
       .request_timeout = absl::Seconds(10),
       .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(10)}});
}

// A word for an event, with its first partition.
inline std::string Word(const ConsumerEvent& event) {
  const auto place = [](const TopicPartition& p) { return std::to_string(p.partition); };
  struct Words {
    decltype(place)& at;
    std::string operator()(const Connected&) const { return "connected"; }
    std::string operator()(const Disconnected&) const { return "disconnected"; }
    std::string operator()(const PartitionsAssigned& e) const {
      return "assigned:" + std::to_string(e.partitions.size());
    }
    std::string operator()(const PartitionsRevoking&) const { return "revoking"; }
    std::string operator()(const PartitionsLost& e) const {
      return "lost:" + at(e.partitions.at(0));
    }
    std::string operator()(const PartitionRepositioned& e) const {
      return "repositioned:" + at(e.partition) + ":" + std::to_string(e.from_offset) + "->" +
             std::to_string(e.to_offset);
    }
    std::string operator()(const PartitionFailed& e) const {
      return "failed:" + at(e.partition) + ":" + ReasonOf(e.status);
    }
    std::string operator()(const CaughtUp& e) const {
      return "caught_up:" + std::to_string(e.partitions.size());
    }
  };
  return std::visit(Words{place}, event);
}

class ConsumerTest : public ::testing::Test {
 protected:
  ConsumerTest() { hub_.CreateTopic("orders", 1); }

  ConsumerOptions FromTheStart() {
    return {.topics = {"orders"},
            .start = Earliest(),
            .heartbeat_interval = absl::Milliseconds(200),
            .on_event = [this](const ConsumerEvent& event) { events_.push_back(Word(event)); }};
  }
  ConsumerOptions InGroup() {
    ConsumerOptions options = FromTheStart();
    options.start.reset();
    options.group = "billing";
    return options;
  }

  std::unique_ptr<Consumer> Open(ConsumerOptions options) {
    auto consumer = Consumer::Open(ConnectTo(hub_), std::move(options));
    EXPECT_TRUE(consumer.ok()) << consumer.status();
    return consumer.ok() ? std::move(*consumer) : nullptr;
  }

  // Polls until `count` values have come; fewer after a while or an error.
  static std::vector<std::string> Take(Consumer& consumer, size_t count) {
    std::vector<std::string> values;
    const absl::Time give_up = MonotonicNow() + kLong;
    while (values.size() < count && MonotonicNow() < give_up) {
      auto records = consumer.Poll(absl::Milliseconds(100), count - values.size());
      EXPECT_TRUE(records.ok()) << records.status();
      if (!records.ok()) break;
      for (const ReceivedRecord& record : *records) values.push_back(record.value.value_or(""));
    }
    return values;
  }

  // Polls, without taking records, until this event was told.
  bool SawEvent(Consumer& consumer, const std::string& word) {
    const absl::Time give_up = MonotonicNow() + kLong;
    while (std::count(events_.begin(), events_.end(), word) == 0) {
      if (MonotonicNow() > give_up) return false;
      auto records = consumer.Poll(absl::Milliseconds(10));
      EXPECT_TRUE(records.ok() && records->empty()) << "only an event was expected";
    }
    return true;
  }

  FakeHub hub_;
  std::vector<std::string> events_;
};

}  // namespace millrace::client
