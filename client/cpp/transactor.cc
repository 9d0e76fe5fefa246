#include "millrace/transactor.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <thread>
#include <utility>

#include "client/cpp/backoff.h"
#include "client/cpp/channel.h"
#include "client/cpp/convert.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/patience.h"
#include "client/cpp/status.h"
#include "millrace/error.h"
#include "millrace/v1/event_hub.grpc.pb.h"

namespace millrace::client {
namespace {

void ToProto(const Record& record, v1::Record& out) {
  if (record.key) out.set_key(*record.key);
  if (record.value) out.set_value(*record.value);
  for (const Header& header : record.headers) {
    v1::Header& added = *out.add_headers();
    added.set_name(header.name);
    if (header.value) added.set_value(*header.value);
  }
  if (record.event_time) client::ToProto(*record.event_time, *out.mutable_event_time());
}

v1::TransactRequest MakeRequest(const std::vector<Append>& appends, const GroupCommit& commit,
                                Durability durability) {
  v1::TransactRequest request;
  for (const Append& append : appends) {
    if (append.records.empty()) continue;
    v1::ProduceRequest& out = *request.add_appends();
    out.set_topic(append.topic);
    if (append.partition) out.set_partition(*append.partition);
    for (const Record& record : append.records) ToProto(record, *out.add_records());
  }
  if (!commit.offsets.empty()) {
    v1::GroupCommit& out = *request.mutable_commit();
    out.set_group(commit.group);
    out.set_member_id(commit.member_id);
    out.set_member_epoch(commit.member_epoch);
    for (const OffsetCommit& offset : commit.offsets) client::ToProto(offset, *out.add_offsets());
  }
  request.set_durability(client::ToProto(durability));
  return request;
}

TransactionResult MakeResult(const std::vector<Append>& appends,
                             const v1::TransactResponse& response) {
  TransactionResult result{.appended = {}, .committed = {}, .duplicate = response.duplicate()};
  int answered = 0;
  for (const Append& append : appends) {
    std::vector<AppendedRange>& ranges = result.appended.emplace_back();
    if (append.records.empty() || answered >= response.appended_size()) continue;
    for (const v1::AppendedRange& range : response.appended(answered++).appended()) {
      ranges.push_back({range.partition(), range.base_offset(), range.record_count()});
    }
  }
  for (const v1::CommitResult& committed : response.committed()) {
    result.committed.push_back(FromProto(committed));
  }
  return result;
}

// Whether `later` commits, for a newer session, exactly what `first` was to commit.
bool SameOffsets(const GroupCommit& first, const GroupCommit& later) {
  return std::equal(first.offsets.begin(), first.offsets.end(), later.offsets.begin(),
                    later.offsets.end(), [](const OffsetCommit& a, const OffsetCommit& b) {
                      return a.topic == b.topic && a.partition == b.partition &&
                             a.next_offset == b.next_offset;
                    });
}

}  // namespace

class Transactor::Impl {
 public:
  Impl(std::shared_ptr<Connection> connection, TransactorOptions options)
      : connection_(std::move(connection)),
        options_(std::move(options)),
        stub_(connection_->internals().channel),
        producer_id_(options_.producer_id) {}

  absl::Status OpenEpoch() {
    v1::OpenProducerRequest request;
    request.set_producer_id(producer_id_);
    v1::OpenProducerResponse response;
    Patience patience(connection_->options());
    absl::Status status;
    do {
      grpc::ClientContext context;
      SetDeadline(context, connection_->options());
      status = FromGrpc(stub_.OpenProducer(&context, request, &response));
    } while (patience.WaitToRetry(status));
    if (!status.ok()) return status;
    producer_id_ = response.producer_id();
    epoch_ = response.epoch();
    last_sequence_ = response.last_sequence();
    return absl::OkStatus();
  }

  absl::StatusOr<TransactionResult> Transact(const std::vector<Append>& appends,
                                             const GroupCommit& commit) {
    std::lock_guard lock(mutex_);
    if (!final_.ok()) return final_;
    v1::TransactRequest request = MakeRequest(appends, commit, options_.durability);
    if (request.appends().empty() && !request.has_commit()) return TransactionResult();
    const absl::StatusOr<v1::TransactResponse> response = Store(request);
    if (!response.ok()) return response.status();
    return MakeResult(appends, *response);
  }

  absl::StatusOr<TransactionResult> Transact(const std::vector<Append>& appends,
                                             Consumer& consumer) {
    absl::StatusOr<GroupCommit> commit = consumer.PrepareCommit();
    if (HasReason(commit.status(), reason::kMemberFenced)) GoBack(consumer);
    if (!commit.ok()) return commit.status();
    absl::StatusOr<TransactionResult> result = Transact(appends, *commit);
    // A member that came back after a broken stream still has its partitions, under another epoch.
    for (int i = 0; i < kFencedAnswers && HasReason(result.status(), reason::kMemberFenced); ++i) {
      absl::StatusOr<GroupCommit> again = consumer.PrepareCommit();
      if (!again.ok() || !SameOffsets(*commit, *again)) break;
      if (again->member_id == commit->member_id && again->member_epoch == commit->member_epoch) {
        std::this_thread::sleep_for(absl::ToChronoMilliseconds(kFencedPause));
        continue;
      }
      commit = std::move(again);
      result = Transact(appends, *commit);
    }
    if (result.ok()) {
      consumer.OnCommitted(*commit);
    } else if (!Final()) {
      GoBack(consumer);
    }
    return result;
  }

  std::string producer_id() const {
    std::lock_guard lock(mutex_);
    return producer_id_;
  }
  int64_t last_sequence() const {
    std::lock_guard lock(mutex_);
    return last_sequence_;
  }

 private:
  // How long the end of the old session may take to be heard here.
  static constexpr int kFencedAnswers = 20;
  static constexpr absl::Duration kFencedPause = absl::Milliseconds(50);

  bool Final() const {
    std::lock_guard lock(mutex_);
    return !final_.ok();
  }

  void GoBack(Consumer& consumer) {
    const absl::Status back = consumer.SeekToCommitted();
    if (back.ok()) return;
    // The next transaction would commit records that this one has not stored.
    std::lock_guard lock(mutex_);
    final_ = back;
  }

  // Repeats the request under one sequence until it has an answer.
  absl::StatusOr<v1::TransactResponse> Store(v1::TransactRequest& request) {
    const absl::Time deadline = MonotonicNow() + options_.timeout;
    Backoff backoff(connection_->options().backoff);
    bool unsettled = false;
    while (true) {
      Number(request);
      grpc::ClientContext context;
      SetDeadline(context, connection_->options());
      v1::TransactResponse response;
      const absl::Status status = FromGrpc(stub_.Transact(&context, request, &response));
      if (status.ok()) {
        last_sequence_ = request.sequence().sequence();
        return response;
      }
      if (IsTransient(status)) {
        unsettled = true;
        const absl::Duration wait =
            std::max(backoff.Next(), RetryAfterOf(status).value_or(absl::ZeroDuration()));
        if (MonotonicNow() + wait >= deadline) return final_ = status;
        std::this_thread::sleep_for(absl::ToChronoNanoseconds(wait));
        continue;
      }
      if (HasReason(status, reason::kSequenceGap) && TakeExpected(status)) continue;
      if (HasReason(status, reason::kProducerUnknown) && !unsettled) {
        if (const absl::Status opened = OpenEpoch(); !opened.ok()) return opened;
        continue;
      }
      if (HasReason(status, reason::kProducerFenced) ||
          HasReason(status, reason::kProducerUnknown)) {
        final_ = status;
      }
      return status;
    }
  }

  void Number(v1::TransactRequest& request) const {
    v1::ProducerSequence& sequence = *request.mutable_sequence();
    sequence.set_producer_id(producer_id_);
    sequence.set_epoch(epoch_);
    sequence.set_sequence(last_sequence_ + 1);
  }

  // The hub has fewer transactions than it answered for: it lost buffered ones in a power cut. Goes
  // on where it stands.
  bool TakeExpected(const absl::Status& status) {
    const ErrorMetadata metadata = MetadataOf(status);
    const auto entry = metadata.find("expected_sequence");
    if (entry == metadata.end()) return false;
    int64_t expected = 0;
    const std::string& text = entry->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expected);
    if (error != std::errc() || expected < 1 || expected > last_sequence_) return false;
    last_sequence_ = expected - 1;
    return true;
  }

  const std::shared_ptr<Connection> connection_;
  const TransactorOptions options_;
  v1::EventHubService::Stub stub_;
  mutable std::mutex mutex_;  // Held through a transaction; guards what follows.
  std::string producer_id_;
  int64_t epoch_ = 0;
  int64_t last_sequence_ = 0;
  absl::Status final_;
};

absl::StatusOr<std::unique_ptr<Transactor>> Transactor::Open(std::shared_ptr<Connection> connection,
                                                             TransactorOptions options) {
  auto impl = std::make_unique<Impl>(std::move(connection), std::move(options));
  if (absl::Status opened = impl->OpenEpoch(); !opened.ok()) return opened;
  return std::unique_ptr<Transactor>(new Transactor(std::move(impl)));
}

Transactor::Transactor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transactor::~Transactor() = default;

absl::StatusOr<TransactionResult> Transactor::Transact(const std::vector<Append>& appends,
                                                       GroupConsumer& consumer) {
  if (consumer.commit_mode() == CommitMode::kAutomatic) {
    return absl::FailedPreconditionError(
        "The consumer commits by itself: open it with CommitMode::kByHand.");
  }
  return impl_->Transact(appends, consumer.consumer());
}

absl::StatusOr<TransactionResult> Transactor::Transact(const std::vector<Append>& appends,
                                                       Consumer& consumer) {
  return impl_->Transact(appends, consumer);
}

absl::StatusOr<TransactionResult> Transactor::Transact(const std::vector<Append>& appends,
                                                       const GroupCommit& commit) {
  return impl_->Transact(appends, commit);
}

std::string Transactor::producer_id() const { return impl_->producer_id(); }
int64_t Transactor::last_sequence() const { return impl_->last_sequence(); }

}  // namespace millrace::client
