// A hub over the memory engine, and the calls that tests make again and again.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/hub/hub.h"
#include "storage/batch/record_view.h"
#include "storage/clock.h"
#include "storage/error.h"
#include "storage/memory/memory_engine.h"

namespace millrace::hub {

inline storage::EncodedRecords EncodeValues(const std::vector<std::string>& values,
                                            const std::string& key = "") {
  std::string entries;
  for (const std::string& value : values) {
    storage::RecordView record;
    if (!key.empty()) record.key = key;
    record.value = value;
    storage::AppendRecordEntry(record, &entries);
  }
  storage::SliceBuffer buffer(entries.size());
  entries.copy(buffer.data(), entries.size());
  return {buffer.Share(0, buffer.size()), static_cast<int32_t>(values.size())};
}

class HubFixture : public testing::Test {
 protected:
  HubFixture() { Start({}); }

  // Begins anew with other options.
  void Start(HubOptions options) {
    hub_.reset();
    engine_ = std::make_unique<storage::MemoryEngine>(storage::MemoryOptions{});
    hub_ = std::make_unique<Hub>(*engine_, storage::Clock::System(), std::move(options));
  }

  void CreateTopic(const std::string& name, int32_t partitions = 1) {
    ASSERT_TRUE(hub_->topics().Create(name, partitions, std::nullopt).ok());
  }

  absl::StatusOr<ProduceOutcome> Produce(ProduceCommand command) {
    std::promise<absl::StatusOr<ProduceOutcome>> promise;
    hub_->producing().Produce(std::move(command), [&](absl::StatusOr<ProduceOutcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return promise.get_future().get();
  }

  void ProduceValues(const std::string& topic, int32_t partition,
                     const std::vector<std::string>& values) {
    const auto outcome =
        Produce({.topic = topic, .partition = partition, .records = EncodeValues(values)});
    ASSERT_TRUE(outcome.ok()) << outcome.status();
  }

  absl::StatusOr<CommitOutcome> Commit(CommitCommand command) {
    std::promise<absl::StatusOr<CommitOutcome>> promise;
    hub_->groups().Commit(std::move(command), [&](absl::StatusOr<CommitOutcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return promise.get_future().get();
  }

  // Open, where the test expects it to succeed.
  std::shared_ptr<Subscription> Subscribe(const SubscribeCommand& command) {
    auto subscription = hub_->subscriptions().Open(command);
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return subscription.ok() ? *subscription : nullptr;
  }

  std::unique_ptr<storage::MemoryEngine> engine_;
  std::unique_ptr<Hub> hub_;
};

inline std::optional<storage::Reason> ReasonOf(const absl::Status& status) {
  return storage::ReasonOf(status);
}

}  // namespace millrace::hub
