#include "millrace/group_consumer.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <variant>

#include "client/cpp/consumer_core.h"
#include "client/cpp/monotonic.h"
#include "millrace/error.h"

namespace millrace::client {

class GroupConsumer::Impl {
 public:
  explicit Impl(GroupOptions options) : options_(std::move(options)) {}

  absl::Status Open(std::shared_ptr<Connection> connection, ConsumerOptions subscription) {
    on_event_ = std::move(subscription.on_event);
    subscription.on_event = [this](const ConsumerEvent& event) { OnEvent(event); };
    auto opened = Consumer::Open(std::move(connection), std::move(subscription));
    if (!opened.ok()) return opened.status();
    consumer_ = *std::move(opened);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ReceivedRecord>> Poll(absl::Duration timeout, size_t max_records) {
    const absl::Time deadline = MonotonicNow() + timeout;
    core().MarkProcessed();
    while (true) {
      TellFailedCommits();
      CommitIfDue();
      const absl::Time until = std::min(deadline, next_commit_);
      absl::StatusOr<std::vector<ReceivedRecord>> records =
          consumer_->Poll(std::max(until - MonotonicNow(), absl::ZeroDuration()), max_records);
      const bool for_the_commit = records.ok() && records->empty() && next_commit_ < deadline &&
                                  MonotonicNow() >= next_commit_ && !consumer_->ended();
      if (!for_the_commit) return records;
    }
  }

  absl::Status Run(absl::AnyInvocable<absl::Status(const std::vector<ReceivedRecord>&)> handler) {
    absl::Status status;
    while (status.ok() && !stopped_ && !consumer_->ended()) {
      absl::StatusOr<std::vector<ReceivedRecord>> records = Poll(absl::Hours(1), 10'000);
      status = records.status();
      if (records.ok() && !records->empty()) status = handler(*records);
    }
    const absl::Status closed = Close(status.ok());
    return status.ok() ? closed : status;
  }

  void Stop() {
    stopped_ = true;
    consumer_->Wake();
  }

  absl::Status Commit() {
    return core().CommitPlaces(automatic() ? Scope::kProcessed : Scope::kReturned,
                               options_.commit_durability);
  }

  absl::StatusOr<std::vector<CommitResult>> Commit(std::vector<OffsetCommit> offsets) {
    if (automatic()) return absl::FailedPreconditionError("The consumer commits by itself.");
    return consumer_->Commit(std::move(offsets), options_.commit_durability);
  }

  absl::Status Close(bool returned_is_processed) {
    if (std::exchange(closed_, true) || consumer_ == nullptr) return absl::OkStatus();
    absl::Status committed;
    if (automatic()) {
      if (returned_is_processed) core().MarkProcessed();
      committed = Commit();
    }
    consumer_->Close();
    // What ended it before was told by Poll.
    return HasReason(committed, reason::kClosed) ? absl::OkStatus() : committed;
  }

  Consumer& consumer() { return *consumer_; }
  CommitMode mode() const { return options_.commit; }

 private:
  using Scope = Consumer::Core::CommitScope;

  Consumer::Core& core() { return *consumer_->core_; }
  bool automatic() const { return options_.commit == CommitMode::kAutomatic; }

  // While nothing is processed and uncommitted there is nothing to wake up for.
  void CommitIfDue() {
    if (!automatic() || !core().HasUncommittedProcessed()) {
      next_commit_ = absl::InfiniteFuture();
      return;
    }
    const absl::Time now = MonotonicNow();
    if (next_commit_ == absl::InfiniteFuture()) next_commit_ = now + options_.commit_interval;
    if (now < next_commit_) return;
    next_commit_ = now + options_.commit_interval;
    CommitInBackground();
  }

  void CommitInBackground() {
    core().CommitAsync(
        Scope::kProcessed,
        [this](const absl::Status& status) {
          if (status.ok() || HasReason(status, reason::kClosed)) return;
          std::lock_guard lock(mutex_);
          failed_commits_.push_back(status);
        },
        options_.commit_durability);
  }

  void TellFailedCommits() {
    std::vector<absl::Status> failed;
    {
      std::lock_guard lock(mutex_);
      failed.swap(failed_commits_);
    }
    if (!options_.on_commit_failed) return;
    for (const absl::Status& status : failed) options_.on_commit_failed(status);
  }

  // Inside Poll, before it has taken any record: everything that was returned is processed.
  void OnEvent(const ConsumerEvent& event) {
    if (on_event_) on_event_(event);
    if (const auto* assigned = std::get_if<PartitionsAssigned>(&event)) {
      if (options_.on_assigned) options_.on_assigned(*assigned);
    } else if (const auto* revoking = std::get_if<PartitionsRevoking>(&event)) {
      if (options_.on_revoking) options_.on_revoking(*revoking);
      core().NoteTold(event);
      if (automatic()) CommitInBackground();
    } else if (const auto* lost = std::get_if<PartitionsLost>(&event)) {
      if (options_.on_lost) options_.on_lost(*lost);
    }
  }

  GroupOptions options_;
  absl::AnyInvocable<void(const ConsumerEvent&)> on_event_;
  absl::Time next_commit_ = absl::InfiniteFuture();
  std::atomic<bool> stopped_{false};
  bool closed_ = false;
  std::mutex mutex_;
  std::vector<absl::Status> failed_commits_;  // Guarded by mutex_; to be told by Poll.
  std::unique_ptr<Consumer> consumer_;        // Its callbacks use the members above.
};

absl::StatusOr<std::unique_ptr<GroupConsumer>> GroupConsumer::Open(
    std::shared_ptr<Connection> connection, ConsumerOptions subscription, GroupOptions options) {
  if (subscription.group.empty()) {
    return absl::InvalidArgumentError("A member needs the name of its group.");
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  const absl::Status opened = impl->Open(std::move(connection), std::move(subscription));
  if (!opened.ok()) return opened;
  return std::unique_ptr<GroupConsumer>(new GroupConsumer(std::move(impl)));
}

GroupConsumer::GroupConsumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GroupConsumer::~GroupConsumer() { (void)impl_->Close(false); }

absl::StatusOr<std::vector<ReceivedRecord>> GroupConsumer::Poll(absl::Duration timeout,
                                                                size_t max_records) {
  return impl_->Poll(timeout, max_records);
}

absl::Status GroupConsumer::Run(
    absl::AnyInvocable<absl::Status(const std::vector<ReceivedRecord>& records)> handler) {
  return impl_->Run(std::move(handler));
}

void GroupConsumer::Stop() { impl_->Stop(); }

absl::Status GroupConsumer::Commit() { return impl_->Commit(); }

absl::StatusOr<std::vector<CommitResult>> GroupConsumer::Commit(std::vector<OffsetCommit> offsets) {
  return impl_->Commit(std::move(offsets));
}

Consumer& GroupConsumer::consumer() { return impl_->consumer(); }

CommitMode GroupConsumer::commit_mode() const { return impl_->mode(); }

absl::Status GroupConsumer::Close() { return impl_->Close(true); }

}  // namespace millrace::client
