// Which requests are on their way, under which numbers, and what must be sent again. This is where
// "nothing lost, doubled or reordered" is decided; it knows neither sockets nor threads.
//
// The hub stores a producer's requests in the order of their numbers, without gaps, and each number
// once. So:
//   - What has no answer when a stream breaks is repeated under its own number: whatever was stored
//     answers `duplicate`.
//   - A refused request does not use up its number, and what was sent behind it answers
//   SEQUENCE_GAP.
//     Then nothing more is sent until everything on its way is answered (the window "settles"), and
//     what was held up is sent again, in order, from the unused number on.
//   - A request that may be stored under one number must never be sent under another. Where that
//     would be needed (a stream broke just behind a refusal), the producer opens its next epoch:
//     that fences what is still on its way and tells the last number stored.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/produce_batch.h"
#include "millrace/v1/event_hub.pb.h"

namespace millrace::client {

// A batch with its final result.
struct SettledBatch {
  std::unique_ptr<ProduceBatch> batch;
  absl::StatusOr<v1::ProduceResponse> result;
};
using SettledBatches = std::vector<SettledBatch>;

class SendWindow {
 public:
  // `numbered`: requests carry sequences. Otherwise nothing is ever repeated.
  SendWindow(int32_t max_requests, bool numbered);

  // An epoch was opened, the first one or because needs_epoch().
  void OnEpochOpened(int64_t last_sequence);

  // Whether a request may be sent now: there is room, and nothing to settle or to open first.
  bool can_send() const;
  bool has_repeats() const { return !repeats_.empty(); }

  // Takes a batch in, or the next one to be repeated, and gives it with its number for sending.
  const ProduceBatch& Send(std::unique_ptr<ProduceBatch> batch);
  const ProduceBatch& SendRepeat();

  // The oldest request on its way was answered.
  void OnAnswer(v1::ProduceStreamResponse answer, SettledBatches& settled);

  // The stream broke with this error: what is on its way has no answer.
  void OnStreamBroken(const absl::Status& error, SettledBatches& settled);

  // Gives up the records of batches that were begun before `time`.
  void ExpireBegunBefore(absl::Time time, const absl::Status& error, SettledBatches& settled);

  // Another producer of this name was opened: nothing more is sent.
  void OnFenced(const absl::Status& error) { fenced_ = error; }

  // Gives up everything.
  void FailAll(const absl::Status& error, SettledBatches& settled);

  // An epoch must be opened before anything more is sent.
  bool needs_epoch() const { return needs_epoch_ && sent_.empty(); }

  // How long to wait before repeating, as the hub asked. Resets it.
  absl::Duration TakePause();

  // Not OK: this producer is fenced, for good.
  const absl::Status& fenced() const { return fenced_; }

  size_t in_flight() const { return sent_.size(); }
  bool empty() const { return sent_.empty() && repeats_.empty() && held_.empty(); }
  absl::Time oldest() const;  // When the oldest live batch was begun; InfiniteFuture: none.

 private:
  using Batches = std::deque<std::unique_ptr<ProduceBatch>>;
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

  void OnRefusal(std::unique_ptr<ProduceBatch> batch, absl::Status error, SettledBatches& settled);
  void FinishSettling();
  // Numbers `repeats_` from `sequence` on, unless that needs a new epoch.
  void Renumber(int64_t sequence);
  void GiveUp(std::unique_ptr<ProduceBatch> batch, const absl::Status& error,
              SettledBatches& settled);

  const int32_t max_requests_;
  const bool numbered_;

  Batches sent_;     // On their way, in order.
  Batches held_;     // Answered, not stored, to be sent again; only while settling.
  Batches repeats_;  // To be sent again before anything new, in order.
  int64_t next_sequence_ = 1;
  bool settling_ = false;
  int64_t first_unused_ = kNone;  // The lowest number that an answer said is not used.
  bool needs_epoch_ = false;
  absl::Duration pause_;
  absl::Status fenced_;
};

}  // namespace millrace::client
