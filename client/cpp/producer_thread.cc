// What the producer's own thread does, see producer_core.h.
#include <algorithm>
#include <utility>

#include "client/cpp/monotonic.h"
#include "client/cpp/producer_core.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {

void Producer::Core::Run() {
  Lock lock(mutex_);
  while (!stopping_ || !settled_.empty() || stream_exists_) {
    if (!settled_.empty()) {
      DeliverSettled(lock);
      continue;
    }
    const absl::Time now = MonotonicNow();
    if (!stopping_) {
      ExpireOld(now);
      if (now >= connect_at_ && window_.needs_epoch()) {
        OpenNextEpoch(lock);
        continue;
      }
      if (!stream_exists_ && now >= connect_at_ && window_.fenced().ok()) {
        ++statistics_.reconnects;
        Connect();
      }
      Pump();
      if (!settled_.empty()) continue;
    }
    awake_at_ = stopping_ ? absl::InfiniteFuture() : NextWork();
    if (awake_at_ == absl::InfiniteFuture()) {
      work_.wait(lock);
    } else {
      work_.wait_until(lock, ToSteadyTime(awake_at_));
    }
    awake_at_ = absl::InfinitePast();
  }
}

void Producer::Core::DeliverSettled(Lock& lock) {
  SettledBatches settled = std::exchange(settled_, {});
  int64_t freed_bytes = 0, delivered = 0, failed = 0;
  absl::Status first_error;
  lock.unlock();
  for (auto& [batch, result] : settled) {
    const bool all_have_callbacks =
        batch->callbacks.size() == static_cast<size_t>(batch->record_count);
    Deliver(*batch, result);
    freed_bytes += batch->charged_bytes;
    (result.ok() ? delivered : failed) += batch->record_count;
    if (first_error.ok() && !all_have_callbacks) first_error = result.status();
  }
  lock.lock();
  for (const auto& [batch, result] : settled) unsettled_ids_.erase(batch->id);
  buffered_bytes_ -= freed_bytes;
  statistics_.records_delivered += delivered;
  statistics_.records_failed += failed;
  if (first_error_.ok()) first_error_ = first_error;
  changed_.notify_all();
}

void Producer::Core::ExpireOld(absl::Time now) {
  const absl::Time begun_before = now - options_.delivery_timeout;
  if (std::min(window_.oldest(), accumulator_.oldest()) >= begun_before) return;
  const absl::Status error =
      MakeError(absl::StatusCode::kDeadlineExceeded, reason::kDeliveryTimeout,
                "The record was not delivered within delivery_timeout.");
  window_.ExpireBegunBefore(begun_before, error, settled_);
  for (auto& batch : accumulator_.TakeBegunBefore(begun_before)) {
    settled_.push_back({std::move(batch), error});
  }
}

absl::StatusOr<v1::OpenProducerResponse> Producer::Core::CallOpenProducer(
    const std::string& producer_id) {
  v1::OpenProducerRequest request;
  request.set_producer_id(producer_id);
  v1::OpenProducerResponse response;
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::CancelledError("The producer is closed.");
    call_ = &context;
  }
  const absl::Status status = FromGrpc(stub_.OpenProducer(&context, request, &response));
  {
    std::lock_guard lock(mutex_);
    call_ = nullptr;
  }
  if (!status.ok()) return status;
  return response;
}

void Producer::Core::OpenNextEpoch(Lock& lock) {
  const std::string producer_id = stamp_.producer_id;
  lock.unlock();
  const absl::StatusOr<v1::OpenProducerResponse> opened = CallOpenProducer(producer_id);
  lock.lock();
  if (!stopping_) ApplyEpoch(opened);
}

void Producer::Core::ApplyEpoch(const absl::StatusOr<v1::OpenProducerResponse>& opened) {
  if (!opened.ok()) {
    if (!IsTransient(opened.status())) FailEverything(opened.status());
    const absl::Duration asked = RetryAfterOf(opened.status()).value_or(absl::ZeroDuration());
    connect_at_ = MonotonicNow() + std::max(asked, backoff_.Next());
    return;
  }
  // A producer that the hub had forgotten begins again at its first epoch.
  const bool forgotten = opened->last_sequence() == 0;
  if (opened->epoch() != stamp_.epoch + 1 && !forgotten) {
    const absl::Status error =
        MakeError(absl::StatusCode::kFailedPrecondition, reason::kProducerFenced,
                  "Another producer of this name was opened.");
    window_.OnFenced(error);
    FailEverything(error);
    return;
  }
  stamp_.epoch = opened->epoch();
  window_.OnEpochOpened(opened->last_sequence());
}

absl::Time Producer::Core::NextWork() const {
  if (!settled_.empty()) return absl::InfinitePast();
  absl::Time next = std::min(window_.oldest(), accumulator_.oldest()) + options_.delivery_timeout;
  if (window_.fenced().ok() && (window_.needs_epoch() || !stream_exists_)) {
    next = std::min(next, connect_at_);
  }
  // When a write is under way or the window is full, its end is what moves things on.
  if (stream_ != nullptr && !writing_ && window_.can_send()) {
    const absl::Time due = window_.has_repeats() ? absl::InfinitePast() : accumulator_.next_due();
    next = std::min(next, std::max(due, pause_until_));
  }
  return next;
}

}  // namespace millrace::client
