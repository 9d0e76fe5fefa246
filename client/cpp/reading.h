// How far a consumer has come in each partition, and what it does with what the hub tells it. This
// is where "no record twice, none skipped" is decided; it knows neither sockets nor threads.
//
// A partition's position outlives the stream: a new session is asked to go on behind the last
// record received. Its buffered records belong to a `generation`, which ends whenever the position
// is set anew (a Seek, a reset, a loss): records of an older generation are never returned.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cpp/frame_decoder.h"
#include "millrace/consumer.h"
#include "millrace/v1/event_hub.pb.h"

namespace millrace::client {

struct BufferedBatch;

// One partition.
struct Reading {
  // A place to go on from, with the log epoch that vouches for it.
  struct Place {
    int64_t offset = 0;
    std::optional<int64_t> log_epoch;
  };

  TopicPartition name;
  bool known = false;      // It has a position.
  bool assigned = false;   // The present session reads it.
  bool failed = false;     // It idles until a Seek.
  bool revoking = false;   // It goes to another member.
  bool paused = false;     // Nothing of it is returned.
  bool resuming = false;   // A Seek to `received` is due or under way; until then nothing is taken.
  bool caught_up = false;  // And the caller was told.
  Place received;          // Behind the last record that was buffered.
  Place returned;          // Behind the last record that Poll returned.
  int64_t processed = 0;   // Up to here the caller is done with what was returned.
  bool revoking_told = false;    // The caller knows of `revoking`.
  bool released = false;         // The hub was asked to take it, while `revoking`.
  int64_t silent_epoch = 0;      // Of a Seek of our own, which the caller is not told of.
  int64_t committed = 0;         // What the group has committed, as far as is known.
  int64_t committed_before = 0;  // The same when the session was asked for: it begins no earlier.
  int64_t commit_asked = 0;      // The most that the hub was asked to commit, answered or not.
  // Up to here was returned, not committed, and given to somebody else or moved by the hub: no
  // transaction may be made of it. Until SeekToCommitted.
  std::optional<int64_t> voided;
  int64_t session_start = 0;  // Where the session would read without the Seek of `resuming`.
  int64_t position_epoch = 0;
  int64_t high_watermark = 0;
  int64_t generation = 0;
  int64_t moves = 0;                  // How often the position was set anew, or lost.
  std::optional<int64_t> told_moves;  // As many the caller knows of. Absent: of no position yet.
  std::deque<std::shared_ptr<BufferedBatch>> held;  // Received and paused.

  // Sets the position anew; what is buffered is void.
  void MoveTo(int64_t offset, std::optional<int64_t> log_epoch);
  void Forget();
  // To be called before the hub's word changes the position.
  void VoidUncommitted();
};

// What to keep of a batch that was received.
struct Acceptance {
  Reading* reading = nullptr;  // Null: nothing, drop it.
  int64_t skip = 0;            // Records at its beginning that were received before.
};

class ReadingTable {
 public:
  // `in_group`: positions come from the group's commits.
  explicit ReadingTable(bool in_group) : in_group_(in_group) {}

  // A session is about to be asked for.
  void OnSubscribe();
  // A new session: what it reads comes with its first OnAssigned.
  void OnSessionStarted(int64_t log_epoch);

  // Each gives the events to tell.
  std::vector<ConsumerEvent> OnAssigned(const v1::Assigned& frame);
  std::vector<ConsumerEvent> OnRevoking(const v1::Revoking& frame);
  std::vector<ConsumerEvent> OnLost(const v1::Lost& frame);
  std::vector<ConsumerEvent> OnRepositioned(const v1::Repositioned& frame);
  std::vector<ConsumerEvent> OnPartitionError(const v1::PartitionError& frame);
  std::vector<ConsumerEvent> OnCaughtUp(const v1::CaughtUp& frame);
  void OnHeartbeat(const v1::Heartbeat& frame);
  Acceptance OnBatch(const EncodedBatch& batch);
  // The hub had its say about the session; a group's member that was assigned nothing has nothing.
  std::vector<ConsumerEvent> OnSettled();

  // The caller is done with everything that was returned.
  void MarkProcessed();
  // The caller knows that these are about to go to another member.
  void MarkRevokingTold(const std::vector<TopicPartition>& partitions);

  // The hub refused to go on because of one partition or topic, which `error` names: marks them as
  // failed. No event: the error names nothing that is read.
  std::vector<ConsumerEvent> OnResumeRefused(const absl::Status& error);

  // A Seek was answered. The position is `offset` from now on, if no frame was quicker to say so.
  void OnSought(Reading& reading, int64_t offset, int64_t position_epoch);

  Reading* Find(std::string_view topic, int32_t partition);
  Reading* Find(const TopicPartition& name) { return Find(name.topic, name.partition); }

  // Whether a stream was once told what it reads.
  bool ever_assigned() const { return ever_assigned_; }
  bool any_resuming() const;
  // A session has begun, and what it has of what the last one had is still to be heard. A Seek
  // answered before that would be undone: the frame names the position of before it.
  bool awaits_assignment() const;

  void ForEach(const std::function<void(Reading&)>& visit);
  void ForEach(const std::function<void(const Reading&)>& visit) const;

 private:
  // Ordered, and open to lookups without a copy of the topic's name.
  using Key = std::pair<std::string_view, int32_t>;

  Reading& FindOrAdd(const std::string& topic, int32_t partition);
  void OnGroupAssignment(Reading& reading, const v1::Assignment& assignment,
                         std::vector<ConsumerEvent>& events);

  const bool in_group_;
  std::map<Key, std::unique_ptr<Reading>> readings_;  // Keys look into the values' names.
  bool ever_assigned_ = false;
  bool first_assigned_of_session_ = false;
  std::optional<int64_t> session_log_epoch_;
};

}  // namespace millrace::client
