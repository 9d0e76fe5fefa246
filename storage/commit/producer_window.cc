#include "storage/commit/producer_window.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "storage/error.h"

namespace millrace::storage {

ProducerWindow::ProducerWindow(int32_t window) : window_(std::max(window, 1)) {}

ProducerEpoch ProducerWindow::OpenEpoch() { return ++epoch_; }

SequenceVerdict ProducerWindow::Check(ProducerEpoch epoch, int64_t sequence) const {
  if (epoch < epoch_) return SequenceVerdict::kFenced;
  if (epoch > epoch_) return SequenceVerdict::kUnknown;
  if (sequence < 1 || sequence > last_sequence_ + 1) return SequenceVerdict::kGap;
  if (sequence == last_sequence_ + 1) return SequenceVerdict::kProceed;
  return Find(sequence) != nullptr ? SequenceVerdict::kDuplicate : SequenceVerdict::kExpired;
}

const ProducerOutcome* ProducerWindow::Find(int64_t sequence) const {
  if (sequence < 1 || sequence > last_sequence_ || sequence <= last_sequence_ - window_) {
    return nullptr;
  }
  const auto slot = static_cast<size_t>(sequence % window_);
  return slot < ring_.size() && ring_[slot] ? &*ring_[slot] : nullptr;
}

void ProducerWindow::Store(ProducerOutcome outcome) { Slot(++last_sequence_) = std::move(outcome); }

void ProducerWindow::Restore(ProducerEpoch epoch, int64_t last_sequence) {
  epoch_ = epoch;
  last_sequence_ = last_sequence;
}

void ProducerWindow::RestoreOutcome(int64_t sequence, ProducerOutcome outcome) {
  if (sequence < 1 || sequence > last_sequence_ || sequence <= last_sequence_ - window_) return;
  Slot(sequence) = std::move(outcome);
}

std::optional<ProducerOutcome>& ProducerWindow::Slot(int64_t sequence) {
  const auto slot = static_cast<size_t>(sequence % window_);
  if (slot >= ring_.size()) ring_.resize(slot + 1);
  return ring_[slot];
}

absl::Status StatusOf(SequenceVerdict verdict, const ProducerStamp& stamp,
                      const ProducerWindow* window) {
  switch (verdict) {
    case SequenceVerdict::kProceed:
    case SequenceVerdict::kDuplicate:
    case SequenceVerdict::kExpired:
      return absl::OkStatus();
    case SequenceVerdict::kFenced:
      return Error(Reason::kProducerFenced,
                   "a newer epoch of producer " + stamp.producer_id + " is open",
                   {{"producer_id", stamp.producer_id},
                    {"current_epoch", std::to_string(window->epoch().value())}});
    case SequenceVerdict::kUnknown:
      return Error(Reason::kProducerUnknown,
                   "producer " + stamp.producer_id + " is not known in this epoch: open it first",
                   {{"producer_id", stamp.producer_id}});
    case SequenceVerdict::kGap: {
      const std::string expected = std::to_string(window->last_sequence() + 1);
      return Error(Reason::kSequenceGap,
                   "the next sequence of producer " + stamp.producer_id + " is " + expected,
                   {{"producer_id", stamp.producer_id}, {"expected_sequence", expected}});
    }
  }
  return Error(Reason::kInternal, "not a verdict");
}

}  // namespace millrace::storage
