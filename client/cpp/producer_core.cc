#include "client/cpp/producer_core.h"

#include <algorithm>
#include <utility>

#include "client/cpp/monotonic.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

constexpr char kProduceStream[] = "/millrace.v1.EventHubService/ProduceStream";

// The hub's bound where it tells one.
template <typename T>
T Bounded(T wanted, T limit) {
  return limit > 0 ? std::min(wanted, limit) : wanted;
}

BatchBounds BoundsFrom(const ProducerOptions& options, const Limits& limits) {
  const auto overhead = static_cast<int64_t>(RequestOverheadBytes(249));
  return {.bytes = std::max<int64_t>(
              1, Bounded(options.batch_bytes,
                         limits.max_request_bytes > 0 ? limits.max_request_bytes - overhead : 0)),
          .records = std::max(1, Bounded(options.batch_records, limits.max_request_records)),
          .linger = options.linger};
}

int32_t WindowFrom(const ProducerOptions& options, const Limits& limits) {
  return std::max(1, Bounded(options.max_in_flight_requests, limits.producer_window));
}

absl::Status ClosedError() {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kClosed,
                   "The producer is closed.");
}

absl::Status TooLarge(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason::kRecordTooLarge,
                   std::string(what) + " is over the hub's limit.");
}

}  // namespace

Producer::Core::Core(std::shared_ptr<Connection> connection, ProducerOptions options,
                     const HubInfo& hub)
    : connection_(std::move(connection)),
      options_(std::move(options)),
      limits_(hub.limits),
      stub_(connection_->internals().channel),
      accumulator_(BoundsFrom(options_, limits_)),
      window_(WindowFrom(options_, limits_), options_.idempotent),
      backoff_(connection_->options().backoff) {
  stamp_.durability = options_.durability;
}

absl::Status Producer::Core::OpenFirstEpoch() {
  if (!options_.idempotent) return absl::OkStatus();
  absl::StatusOr<v1::OpenProducerResponse> opened = CallOpenProducer(options_.producer_id);
  if (!opened.ok()) return opened.status();
  stamp_.producer_id = opened->producer_id();
  stamp_.epoch = opened->epoch();
  window_.OnEpochOpened(opened->last_sequence());
  return absl::OkStatus();
}

void Producer::Core::Start() {
  std::lock_guard lock(mutex_);
  Connect();
  thread_ = std::thread([this] { Run(); });
}

// ---- Taking records in

absl::Status Producer::Core::Judge(const RecordParts& record, size_t encoded_size) const {
  if (limits_.max_record_bytes > 0 &&
      encoded_size > static_cast<size_t>(limits_.max_record_bytes)) {
    return TooLarge("The record");
  }
  if (record.key && limits_.max_key_bytes > 0 &&
      record.key->size() > static_cast<size_t>(limits_.max_key_bytes)) {
    return TooLarge("The record's key");
  }
  if (record.headers == nullptr) return absl::OkStatus();
  if (limits_.max_record_headers > 0 &&
      record.headers->size() > static_cast<size_t>(limits_.max_record_headers)) {
    return TooLarge("The number of the record's headers");
  }
  for (const Header& header : *record.headers) {
    if (!IsUtf8(header.name)) {
      return absl::InvalidArgumentError("The name of a header is not UTF-8.");
    }
  }
  return absl::OkStatus();
}

absl::Status Producer::Core::WhyRefused() const {
  if (!window_.fenced().ok()) return window_.fenced();
  return closed_ ? ClosedError() : absl::OkStatus();
}

bool Producer::Core::HasRoom(int64_t bytes) const {
  return buffered_bytes_ == 0 || buffered_bytes_ + bytes <= options_.max_buffered_bytes;
}

absl::Status Producer::Core::WaitForRoom(int64_t bytes, WhenFull when_full, Lock& lock) {
  const auto settled = [&] { return HasRoom(bytes) || !WhyRefused().ok(); };
  if (!settled() &&
      (when_full == WhenFull::kRefuse ||
       !WaitUntil(changed_, lock, MonotonicNow() + options_.delivery_timeout, settled))) {
    return MakeError(absl::StatusCode::kResourceExhausted, reason::kBufferFull,
                     "max_buffered_bytes is reached.");
  }
  return WhyRefused();
}

absl::Status Producer::Core::Send(std::string_view topic, std::optional<int32_t> partition,
                                  const RecordParts& record, Callback callback,
                                  WhenFull when_full) {
  const size_t encoded_size = EncodedSize(record);
  absl::Status judged = Judge(record, encoded_size);
  if (!judged.ok()) return judged;

  Lock lock(mutex_);
  judged = WaitForRoom(static_cast<int64_t>(encoded_size), when_full, lock);
  if (!judged.ok()) return judged;
  const Accumulator::Added added =
      accumulator_.Add(topic, partition, record, encoded_size, std::move(callback));
  buffered_bytes_ += added.charged_bytes;
  if (added.began_batch) unsettled_ids_.insert(added.batch_id);
  if (!added.began_batch && !added.filled_batch) return absl::OkStatus();
  Pump();
  WakeThread();
  return absl::OkStatus();
}

// ---- The stream

void Producer::Core::Connect() {
  stream_ = RawStream::Start(connection_->internals().channel, kProduceStream, *this);
  stream_exists_ = true;
  writing_ = false;
  stream_->Read();
  Pump();
}

void Producer::Core::Pump() {
  if (stream_ == nullptr || writing_ || !window_.can_send()) return;
  if (accumulator_.next_due() == absl::InfiniteFuture() && !window_.has_repeats()) return;
  const absl::Time now = MonotonicNow();
  if (now < pause_until_) return;
  if (window_.has_repeats()) {
    WriteToStream(window_.SendRepeat(), true);
  } else if (std::unique_ptr<ProduceBatch> batch = accumulator_.TakeNext(now)) {
    WriteToStream(window_.Send(std::move(batch)), false);
  }
}

void Producer::Core::WriteToStream(const ProduceBatch& batch, bool repeated) {
  writing_ = true;
  ++statistics_.requests_sent;
  if (repeated) ++statistics_.requests_repeated;
  stream_->Write(MakeRequest(batch, stamp_));
}

void Producer::Core::OnWritten(RawStream& stream) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  Pump();
  // A batch that lingers was no work while the write went on.
  WakeThread();
}

void Producer::Core::WakeThread() {
  if (NextWork() < awake_at_) work_.notify_one();
}

void Producer::Core::OnMessage(RawStream& stream, const grpc::ByteBuffer& message) {
  v1::ProduceStreamResponse answer;
  grpc::Slice bytes;
  const bool parsed = message.DumpToSingleSlice(&bytes).ok() &&
                      answer.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size()));
  std::lock_guard lock(mutex_);
  if (!parsed) {
    stream.Cancel();
    stream.Read();
    return;
  }
  backoff_.Reset();
  if (answer.has_produced() && answer.produced().duplicate()) ++statistics_.duplicates;
  window_.OnAnswer(std::move(answer), settled_);
  const absl::Duration pause = window_.TakePause();
  if (pause > absl::ZeroDuration()) pause_until_ = MonotonicNow() + pause;
  if (!window_.fenced().ok()) FailEverything(window_.fenced());
  if (stream_ != nullptr) stream_->Read();
  Pump();
  work_.notify_one();
}

void Producer::Core::OnEnded(RawStream& stream) {
  std::lock_guard lock(mutex_);
  stream_ = nullptr;
}

void Producer::Core::OnClosed(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  stream_ = nullptr;
  stream_exists_ = false;
  const absl::Status error =
      status.ok() ? absl::UnavailableError("The hub ended the stream.") : status;
  window_.OnStreamBroken(error, settled_);
  // What the hub refuses as a whole it would refuse again.
  if (!IsTransient(error) && !closed_) FailEverything(error);
  const absl::Duration asked = RetryAfterOf(error).value_or(absl::ZeroDuration());
  connect_at_ = MonotonicNow() + std::max(asked, backoff_.Next());
  work_.notify_one();
  changed_.notify_all();
}

void Producer::Core::FailEverything(const absl::Status& error) {
  window_.FailAll(error, settled_);
  for (auto& batch : accumulator_.TakeBegunBefore(absl::InfiniteFuture())) {
    settled_.push_back({std::move(batch), error});
  }
  changed_.notify_all();
}

// ---- Callers that wait

absl::Status Producer::Core::Flush(absl::Duration timeout) {
  Lock lock(mutex_);
  const int64_t last_id = accumulator_.last_id();
  accumulator_.MakeAllDue();
  Pump();
  const auto flushed = [&] { return Idle() || *unsettled_ids_.begin() > last_id; };
  if (!WaitUntil(changed_, lock, MonotonicNow() + timeout, flushed)) {
    return absl::DeadlineExceededError("Not everything is delivered yet.");
  }
  return std::exchange(first_error_, absl::OkStatus());
}

absl::Status Producer::Core::Close(absl::Duration timeout) {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  absl::Status flushed = Flush(timeout);

  Lock lock(mutex_);
  const bool orderly = Idle() && stream_ != nullptr && !writing_;
  FailEverything(ClosedError());
  stopping_ = true;
  if (call_ != nullptr) call_->TryCancel();
  work_.notify_one();
  if (orderly) {
    stream_->EndWrites();
    changed_.wait_for(lock, std::chrono::seconds(1), [&] { return !stream_exists_; });
  }
  if (stream_ != nullptr) stream_->Cancel();
  changed_.wait(lock, [&] { return !stream_exists_; });
  std::thread thread = std::move(thread_);
  lock.unlock();
  if (thread.joinable()) thread.join();
  return flushed;
}

std::string Producer::Core::producer_id() const {
  std::lock_guard lock(mutex_);
  return stamp_.producer_id;
}

ProducerStatistics Producer::Core::statistics() const {
  std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace millrace::client
