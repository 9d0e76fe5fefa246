#include "millrace/consumer.h"

#include <utility>

#include "client/cpp/consumer_core.h"

namespace millrace::client {

absl::StatusOr<std::unique_ptr<Consumer>> Consumer::Open(std::shared_ptr<Connection> connection,
                                                         ConsumerOptions options) {
  auto core = std::make_unique<Core>(std::move(connection), std::move(options));
  std::unique_ptr<Consumer> consumer(new Consumer(std::move(core)));
  const absl::Status started = consumer->core_->Start();
  if (!started.ok()) return started;
  return consumer;
}

Consumer::Consumer(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Consumer::~Consumer() { core_->Close(); }

absl::StatusOr<std::vector<ReceivedRecord>> Consumer::Poll(absl::Duration timeout,
                                                           size_t max_records) {
  return core_->Poll(timeout, max_records);
}

absl::StatusOr<std::optional<ReceivedRecord>> Consumer::Next(absl::Duration timeout) {
  absl::StatusOr<std::vector<ReceivedRecord>> records = core_->Poll(timeout, 1);
  if (!records.ok()) return records.status();
  if (records->empty()) return std::optional<ReceivedRecord>();
  return std::optional<ReceivedRecord>(std::move(records->front()));
}

bool Consumer::ended() const { return core_->ended(); }

void Consumer::Wake() { core_->Wake(); }

absl::Status Consumer::Commit(Durability durability) {
  return core_->CommitPlaces(Core::CommitScope::kReturned, durability);
}

absl::StatusOr<std::vector<CommitResult>> Consumer::Commit(std::vector<OffsetCommit> offsets,
                                                           Durability durability) {
  return core_->CommitOffsets(std::move(offsets), durability);
}

void Consumer::CommitAsync(absl::AnyInvocable<void(const absl::Status&) &&> done,
                           Durability durability) {
  core_->CommitAsync(Core::CommitScope::kReturned, std::move(done), durability);
}

absl::StatusOr<GroupCommit> Consumer::PrepareCommit() { return core_->PrepareCommit(); }

void Consumer::OnCommitted(const GroupCommit& commit) { core_->OnCommitted(commit); }

absl::Status Consumer::SeekToCommitted() { return core_->SeekToCommitted(); }

absl::Status Consumer::Release(const std::vector<TopicPartition>& partitions) {
  return core_->Release(partitions);
}

absl::StatusOr<std::vector<SeekResult>> Consumer::Seek(const std::vector<SeekTarget>& targets) {
  return core_->Seek(targets);
}

absl::Status Consumer::Pause(const std::vector<TopicPartition>& partitions) {
  return core_->SetPaused(partitions, true);
}

absl::Status Consumer::Resume(const std::vector<TopicPartition>& partitions) {
  return core_->SetPaused(partitions, false);
}

std::vector<Position> Consumer::Positions() const { return core_->Positions(); }

int64_t Consumer::lag() const { return core_->lag(); }

void Consumer::Close() { core_->Close(); }

}  // namespace millrace::client
