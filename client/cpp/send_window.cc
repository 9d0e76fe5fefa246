#include "client/cpp/send_window.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

// Before a repetition, where the hub does not say how long.
constexpr absl::Duration kUsualPause = absl::Milliseconds(100);

// The number that the hub would have accepted.
std::optional<int64_t> ExpectedSequence(const absl::Status& error) {
  const ErrorMetadata metadata = MetadataOf(error);
  const auto entry = metadata.find("expected_sequence");
  if (entry == metadata.end()) return std::nullopt;
  int64_t value = 0;
  const char* const end = entry->second.data() + entry->second.size();
  if (std::from_chars(entry->second.data(), end, value).ec != std::errc()) return std::nullopt;
  return value;
}

template <typename Batches>
void MoveToEnd(Batches& from, Batches& to) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
  from.clear();
}

}  // namespace

SendWindow::SendWindow(int32_t max_requests, bool numbered)
    : max_requests_(max_requests), numbered_(numbered) {}

void SendWindow::OnEpochOpened(int64_t last_sequence) {
  needs_epoch_ = false;
  next_sequence_ = last_sequence + 1;
  for (const auto& batch : repeats_) {
    // What is stored is asked for again under its number; all that is not is free to move.
    if (batch->unsettled && batch->sequence <= last_sequence) continue;
    batch->sequence = next_sequence_++;
    batch->unsettled = false;
  }
}

bool SendWindow::can_send() const {
  return fenced_.ok() && !settling_ && !needs_epoch_ &&
         sent_.size() < static_cast<size_t>(max_requests_);
}

const ProduceBatch& SendWindow::Send(std::unique_ptr<ProduceBatch> batch) {
  batch->sequence = next_sequence_++;
  sent_.push_back(std::move(batch));
  return *sent_.back();
}

const ProduceBatch& SendWindow::SendRepeat() {
  sent_.push_back(std::move(repeats_.front()));
  repeats_.pop_front();
  return *sent_.back();
}

void SendWindow::OnAnswer(v1::ProduceStreamResponse answer, SettledBatches& settled) {
  if (sent_.empty()) return;  // An answer to nothing: the hub's mistake.
  std::unique_ptr<ProduceBatch> batch = std::move(sent_.front());
  sent_.pop_front();
  if (answer.has_error()) {
    OnRefusal(std::move(batch), FromRequestError(answer.error()), settled);
  } else if (!batch->expired) {
    settled.push_back({std::move(batch), std::move(*answer.mutable_produced())});
  }
  if (settling_ && sent_.empty()) FinishSettling();
}

void SendWindow::OnRefusal(std::unique_ptr<ProduceBatch> batch, absl::Status error,
                           SettledBatches& settled) {
  if (!numbered_) {
    settled.push_back({std::move(batch), std::move(error)});
    return;
  }
  const std::string reason = ReasonOf(error);
  if (reason == reason::kProducerFenced) {
    fenced_ = error;
    GiveUp(std::move(batch), error, settled);
    return;
  }
  settling_ = true;
  const bool gap = reason == reason::kSequenceGap;
  const bool unknown = reason == reason::kProducerUnknown;
  if (unknown) needs_epoch_ = true;
  if (gap) {
    first_unused_ = std::min(first_unused_, ExpectedSequence(error).value_or(batch->sequence));
  }
  if (!unknown) first_unused_ = std::min(first_unused_, batch->sequence);
  const bool again = gap || unknown || IsTransient(error);
  if (again && !batch->expired) {
    if (!gap && !unknown) {
      pause_ = std::max(pause_, RetryAfterOf(error).value_or(kUsualPause));
      // A log that failed may hold the request all the same.
      if (error.code() != absl::StatusCode::kResourceExhausted) batch->unsettled = true;
    }
    held_.push_back(std::move(batch));
    return;
  }
  // Refused for good. If an earlier attempt may have been stored, its number is in doubt.
  if (batch->unsettled) needs_epoch_ = true;
  GiveUp(std::move(batch), error, settled);
}

void SendWindow::FinishSettling() {
  settling_ = false;
  MoveToEnd(repeats_, held_);
  repeats_.swap(held_);
  const int64_t first_unused = std::exchange(first_unused_, kNone);
  if (!needs_epoch_ && first_unused != kNone) Renumber(first_unused);
}

void SendWindow::Renumber(int64_t sequence) {
  int64_t number = sequence;
  for (const auto& batch : repeats_) {
    if (batch->unsettled && batch->sequence != number) needs_epoch_ = true;
    ++number;
  }
  if (needs_epoch_) return;
  for (const auto& batch : repeats_) batch->sequence = sequence++;
  next_sequence_ = sequence;
}

void SendWindow::OnStreamBroken(const absl::Status& error, SettledBatches& settled) {
  if (!numbered_) {
    FailAll(error, settled);
    return;
  }
  for (auto& batch : sent_) {
    batch->unsettled = true;
    if (batch->expired) needs_epoch_ = true;  // Its number would be missing.
  }
  std::erase_if(sent_, [](const auto& batch) { return batch->expired; });
  MoveToEnd(sent_, held_);
  FinishSettling();
}

void SendWindow::ExpireBegunBefore(absl::Time time, const absl::Status& error,
                                   SettledBatches& settled) {
  for (auto& batch : sent_) {
    if (batch->expired || batch->created >= time) continue;
    // Its number stays until it is answered.
    auto placeholder = std::make_unique<ProduceBatch>();
    placeholder->sequence = batch->sequence;
    placeholder->unsettled = batch->unsettled;
    placeholder->expired = true;
    std::swap(batch, placeholder);
    settled.push_back({std::move(placeholder), error});
  }
  for (Batches* batches : {&held_, &repeats_}) {
    for (auto& batch : *batches) {
      if (batch->created >= time) continue;
      needs_epoch_ = true;
      settled.push_back({std::move(batch), error});
    }
    std::erase(*batches, nullptr);
  }
}

void SendWindow::FailAll(const absl::Status& error, SettledBatches& settled) {
  if (!empty() && numbered_) needs_epoch_ = true;
  for (Batches* batches : {&held_, &sent_, &repeats_}) {
    for (auto& batch : *batches) GiveUp(std::move(batch), error, settled);
    batches->clear();
  }
  settling_ = false;
  first_unused_ = kNone;
}

void SendWindow::GiveUp(std::unique_ptr<ProduceBatch> batch, const absl::Status& error,
                        SettledBatches& settled) {
  if (!batch->expired) settled.push_back({std::move(batch), error});
}

absl::Duration SendWindow::TakePause() { return std::exchange(pause_, absl::ZeroDuration()); }

absl::Time SendWindow::oldest() const {
  absl::Time oldest = absl::InfiniteFuture();
  for (const Batches* batches : {&held_, &sent_, &repeats_}) {
    for (const auto& batch : *batches) {
      if (!batch->expired) oldest = std::min(oldest, batch->created);
    }
  }
  return oldest;
}

}  // namespace millrace::client
