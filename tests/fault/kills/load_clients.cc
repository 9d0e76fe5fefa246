// What each client of the load does.
#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "millrace/error.h"
#include "millrace/group_consumer.h"
#include "millrace/producer.h"
#include "millrace/transactor.h"
#include "tests/fault/kills/load.h"
#include "tests/fault/random.h"

namespace millrace::kills {
namespace {

using client::Append;
using client::Consumer;
using client::ConsumerOptions;
using client::GroupConsumer;
using client::GroupOptions;
using client::Producer;
using client::ReceivedRecord;
using client::Transactor;
using fault::Random;

constexpr absl::Duration kShort = absl::Milliseconds(20);
constexpr int32_t kNoSuchPartition = 99;

// One that surely was not stored, for all that the library says.
bool SurelyFailed(const absl::Status& status) {
  const std::string reason = client::ReasonOf(status);
  return reason == client::reason::kPartitionOutOfRange ||
         reason == client::reason::kRecordTooLarge || reason == client::reason::kTopicNotFound;
}

std::map<Partition, int64_t> EndsOf(const std::vector<ReceivedRecord>& records) {
  std::map<Partition, int64_t> ends;
  for (const ReceivedRecord& record : records) {
    ends[{record.topic, record.partition}] = record.offset + 1;
  }
  return ends;
}

// Who sends what.
struct Sender {
  std::string topic;
  bool by_key = false;
  bool names_partition = false;
  client::Durability durability = client::Durability::kSynced;
};
Sender SenderOf(int number) {
  switch (number) {
    case 1:
    case 2:
      return {.topic = "in", .by_key = true};
    case 3:
      return {
          .topic = "mixed", .names_partition = true, .durability = client::Durability::kBuffered};
    case 4:
      return {.topic = "mixed", .names_partition = true};
    default:
      return {.topic = "mixed", .durability = client::Durability::kBuffered};
  }
}

// Tells where a reader of a group begins, in its place between the polls.
auto NoteStarts(History& history, Progress& progress, int reader) {
  return [&history, &progress, reader](const client::ConsumerEvent& event) {
    if (const auto* assigned = std::get_if<client::PartitionsAssigned>(&event)) {
      for (const auto& partition : assigned->partitions) {
        progress.Begin(history, reader, partition.partition, partition.start_offset);
      }
    } else if (const auto* moved = std::get_if<client::PartitionRepositioned>(&event)) {
      progress.Begin(history, reader, moved->partition, moved->to_offset);
    }
  };
}

}  // namespace

void Load::Send(std::stop_token stop, int number, uint64_t seed) {
  Random random(seed);
  const Sender sender = SenderOf(number);
  const bool synced = sender.durability == client::Durability::kSynced;
  const std::string name = absl::StrCat("sender-", number);
  std::atomic<int64_t> pending = 0;
  std::unique_ptr<Producer> producer;
  int64_t sent = 0;
  while (AwaitTurn(stop, sent, pending)) {
    if (producer != nullptr && random.OneIn(2'000)) {
      // Its successor fences it, or it closes first with sends under way.
      if (random.OneIn(2)) producer = nullptr;
      auto next =
          Producer::Open(Connect(target_), {.producer_id = name, .durability = sender.durability});
      if (next.ok()) producer = *std::move(next);
    }
    if (producer == nullptr) {
      auto opened =
          Producer::Open(Connect(target_), {.producer_id = name, .durability = sender.durability});
      if (!opened.ok()) continue;
      producer = *std::move(opened);
    }
    const Value value = MakeValue(number, ++sent);
    client::Record record{.value = BytesOf(value)};
    if (sender.by_key) record.key = absl::StrCat("key-", random.Below(20));
    std::optional<int32_t> partition;
    if (sender.names_partition) {
      partition = random.OneIn(200) ? kNoSuchPartition
                                    : static_cast<int32_t>(random.Below(kMixedPartitions));
    }
    const size_t asked = history_.Ask({.value = value, .topic = sender.topic, .synced = synced});
    ++pending;
    const absl::Status taken = producer->Send(
        sender.topic, partition, record,
        [this, asked, &pending](const absl::StatusOr<client::Delivery>& delivery) {
          if (delivery.ok()) {
            history_.Answer(asked, Outcome::kAcknowledged, delivery->partition, delivery->offset);
          } else {
            const bool failed = SurelyFailed(delivery.status());
            history_.Answer(asked, failed ? Outcome::kFailed : Outcome::kUnknown, -1, -1);
          }
          --pending;
          Answered();
        });
    if (!taken.ok()) {
      history_.Answer(asked, Outcome::kFailed, -1, -1);
      --pending;
      producer = nullptr;
    }
  }
  if (producer != nullptr) {
    const absl::Status closed = producer->Close(absl::Seconds(50));
    if (!closed.ok() && !SurelyFailed(closed) &&
        !client::HasReason(closed, client::reason::kProducerFenced)) {
      Complain(absl::StrCat(name, " cannot close: ", std::string(closed.message())));
    }
  }
  producer = nullptr;
  const std::lock_guard lock(mutex_);
  --senders_left_;
  changed_.notify_all();
}

void Load::Read(std::stop_token stop, int number, uint64_t seed, bool reopens) {
  Random random(seed);
  Progress& progress = *progress_.at(number);
  std::vector<client::Position> positions;
  std::unique_ptr<Consumer> consumer;
  while (!stop.stop_requested()) {
    if (consumer == nullptr) {
      ConsumerOptions options{.start = client::Earliest(), .heartbeat_interval = absl::Seconds(1)};
      if (positions.empty()) {
        options.topics = {"in", "mixed", "out"};
      } else {
        options.positions = positions;
      }
      auto opened = Consumer::Open(Connect(target_), std::move(options));
      if (!opened.ok()) {
        if (!absl::IsUnavailable(opened.status())) {
          Complain(absl::StrCat("reader ", number,
                                " cannot open: ", std::string(opened.status().message())));
          return;
        }
        continue;
      }
      consumer = *std::move(opened);
    }
    const auto records = consumer->Poll(kShort, 1 + random.Below(500));
    if (!records.ok()) {
      Complain(absl::StrCat("reader ", number, ": ", std::string(records.status().message())));
      return;
    }
    progress.Take(history_, number, *records);
    if (reopens && random.OneIn(50)) {
      auto next = consumer->Positions();
      // All of them are known once all are assigned.
      if (next.size() < 2 * kInPartitions + kMixedPartitions) continue;
      positions = std::move(next);
      consumer = nullptr;
    }
  }
}

void Load::Join(std::stop_token stop, int number, uint64_t seed) {
  Random random(seed);
  Progress& progress = *progress_.at(number);
  std::unique_ptr<GroupConsumer> consumer;
  while (!stop.stop_requested()) {
    if (consumer == nullptr) {
      auto opened = GroupConsumer::Open(Connect(target_),
                                        {.topics = {"in", "mixed"},
                                         .group = "members",
                                         .instance_id = absl::StrCat("member-", number),
                                         .heartbeat_interval = absl::Seconds(1),
                                         .on_event = NoteStarts(history_, progress, number)},
                                        {.commit = client::CommitMode::kByHand});
      if (!opened.ok()) continue;
      consumer = *std::move(opened);
    }
    const auto records = consumer->Poll(kShort, 1 + random.Below(500));
    if (!records.ok()) {
      Complain(absl::StrCat("member ", number, ": ", std::string(records.status().message())));
      return;
    }
    progress.Take(history_, number, *records);
    std::vector<client::OffsetCommit> offsets;
    std::vector<size_t> asked;
    for (const auto& [partition, next] : EndsOf(*records)) {
      offsets.push_back(
          {.topic = partition.first, .partition = partition.second, .next_offset = next});
      asked.push_back(history_.Ask(Commit{
          .reader = number, .group = "members", .partition = partition, .next_offset = next}));
    }
    if (offsets.empty()) continue;
    const auto results = consumer->Commit(std::move(offsets));
    for (size_t i = 0; i < asked.size(); ++i) {
      // One refused may be the repetition of one that was accepted.
      const bool accepted = results.ok() && results->at(i).status.ok();
      history_.Answer(asked[i], accepted ? Outcome::kAcknowledged : Outcome::kUnknown);
    }
    if (number == 9 && random.OneIn(100)) consumer = nullptr;  // Leaves, comes back.
  }
}

void Load::Copy(std::stop_token stop, int number) {
  Progress progress;
  std::unique_ptr<Transactor> transactor;
  std::unique_ptr<GroupConsumer> consumer;
  while (!stop.stop_requested()) {
    if (transactor == nullptr || consumer == nullptr) {
      consumer = nullptr;
      auto transacting = Transactor::Open(Connect(target_), {.producer_id = "copier"});
      if (!transacting.ok()) continue;
      auto reading = GroupConsumer::Open(Connect(target_),
                                         {.topics = {"in"},
                                          .group = "copiers",
                                          .instance_id = "copier",
                                          .heartbeat_interval = absl::Seconds(1),
                                          .on_event = NoteStarts(history_, progress, number)},
                                         {.commit = client::CommitMode::kByHand});
      if (!reading.ok()) continue;
      transactor = *std::move(transacting);
      consumer = *std::move(reading);
    }
    const auto records = consumer->Poll(kShort, 200);
    if (!records.ok()) {
      Complain(absl::StrCat("copier: ", std::string(records.status().message())));
      return;
    }
    if (records->empty()) continue;
    progress.Take(history_, number, *records);
    std::map<int32_t, Append> appends;
    std::map<int32_t, std::vector<size_t>> sends;
    for (const ReceivedRecord& record : *records) {
      Append& append = appends[record.partition];
      append.topic = "out";
      append.partition = record.partition;
      append.records.push_back({.key = record.key, .value = record.value});
      sends[record.partition].push_back(
          history_.Ask({.value = ParseBytes(record.value.value_or("")), .topic = "out"}));
    }
    std::vector<size_t> commits;
    for (const auto& [partition, next] : EndsOf(*records)) {
      commits.push_back(history_.Ask(Commit{
          .reader = number, .group = "copiers", .partition = partition, .next_offset = next}));
    }
    std::vector<Append> all;
    for (auto& [partition, append] : appends) all.push_back(std::move(append));
    const auto stored = transactor->Transact(all, *consumer);
    const bool refused = absl::IsAborted(stored.status());
    for (const size_t commit : commits) {
      history_.Answer(commit, stored.ok() ? Outcome::kAcknowledged
                              : refused   ? Outcome::kFailed
                                          : Outcome::kUnknown);
    }
    if (refused) {  // What is not committed is read and sent again.
      for (const client::Position& at : consumer->consumer().Positions()) {
        progress.Begin(history_, number, {at.topic, at.partition}, at.offset);
      }
    }
    if (!stored.ok()) {
      if (!refused) transactor = nullptr;
      continue;
    }
    for (size_t i = 0; i < stored->appended.size(); ++i) {
      for (const client::AppendedRange& range : stored->appended[i]) {
        const std::vector<size_t>& of_partition = sends.at(range.partition);
        for (int32_t j = 0; j < range.record_count; ++j) {
          history_.Answer(of_partition.at(j), Outcome::kAcknowledged, range.partition,
                          range.base_offset + j);
        }
      }
    }
  }
}

}  // namespace millrace::kills
