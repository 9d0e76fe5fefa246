// The consumer's parts at work together: gRPC's threads bring frames into a bounded buffer, the
// caller takes records out of it, one thread of its own does what has to wait (reconnecting,
// noticing silence, bringing a new session to where the last one ended).
//
//     consumer_core.cc      the stream and its frames
//     consumer_thread.cc    the thread
//     consumer_poll.cc      what the caller takes out
//     consumer_commits.cc   what it commits for its group
//     consumer_controls.cc  Seek, Pause, Close
//
// Threads: any, as millrace/consumer.h says. One mutex guards everything; the stream is called with
// it held, callbacks and calls to the hub are made without.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "client/cpp/backoff.h"
#include "client/cpp/channel.h"
#include "client/cpp/frame_decoder.h"
#include "client/cpp/raw_stream.h"
#include "client/cpp/reading.h"
#include "millrace/consumer.h"
#include "millrace/v1/event_hub.grpc.pb.h"

namespace millrace::client {

// A batch that waits to be returned.
struct BufferedBatch {
  Reading* reading;
  int64_t generation;
  // Keeps the bytes of `batch`. Shared, for a copy of a small slice has bytes of its own.
  std::shared_ptr<const grpc::Slice> frame;
  EncodedBatch batch;
  int64_t next_offset = 0;  // The first record that Poll did not take.
  int64_t end_offset = 0;
  // Where decoding is; only the thread that polls looks at it.
  RecordCursor cursor;
  int64_t cursor_offset = 0;
};

class Consumer::Core final : public RawStream::Listener {
 public:
  using CommitCallback = absl::AnyInvocable<void(const absl::Status&) &&>;

  Core(std::shared_ptr<Connection> connection, ConsumerOptions options);

  // Subscribes and waits for the first session.
  absl::Status Start();

  absl::StatusOr<std::vector<ReceivedRecord>> Poll(absl::Duration timeout, size_t max_records);
  bool ended() const;
  void Wake();

  // Commits what Poll returned, or of that only what MarkProcessed said is done.
  enum class CommitScope { kReturned, kProcessed };
  absl::Status CommitPlaces(CommitScope scope, Durability durability);
  absl::StatusOr<std::vector<CommitResult>> CommitOffsets(std::vector<OffsetCommit> offsets,
                                                          Durability durability);
  void CommitAsync(CommitScope scope, CommitCallback done, Durability durability);
  void MarkProcessed();
  // The caller knows of the event.
  void NoteTold(const ConsumerEvent& event);
  bool HasUncommittedProcessed() const;
  absl::StatusOr<GroupCommit> PrepareCommit();
  void OnCommitted(const GroupCommit& commit);
  absl::Status SeekToCommitted();
  absl::Status Release(const std::vector<TopicPartition>& partitions);
  absl::StatusOr<std::vector<SeekResult>> Seek(const std::vector<SeekTarget>& targets);
  absl::Status SetPaused(const std::vector<TopicPartition>& partitions, bool paused);

  std::vector<Position> Positions() const;
  int64_t lag() const;
  void Close();

  void OnMessage(RawStream& stream, const grpc::ByteBuffer& message) override;
  void OnWritten(RawStream& stream) override {}
  void OnEnded(RawStream& stream) override;
  void OnClosed(const absl::Status& status) override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Item = std::variant<std::shared_ptr<BufferedBatch>, ConsumerEvent>;

  // Part of a batch that Poll returns.
  struct Portion {
    std::shared_ptr<BufferedBatch> batch;
    int64_t first_offset = 0;
    int64_t record_count = 0;
  };

  // A commit that CommitAsync was asked for.
  struct CommitAsked {
    CommitScope scope;
    CommitCallback done;
    Durability durability;
  };

  // The session as calls to the hub name it.
  struct Session {
    std::string id;  // Empty: there is none now.
    std::string member_id;
    int32_t member_epoch = 0;
  };

  static constexpr int64_t kHearMoreBytes = 16 << 20;

  // ---- The stream
  v1::SubscribeRequest MakeRequest() const;
  void Subscribe();
  void ReadOn();
  void BreakOff();
  void OnFrame(const v1::SubscribeResponse& frame);
  void OnBatches(const std::shared_ptr<const grpc::Slice>& bytes,
                 const std::vector<EncodedBatch>& batches);
  void OnSessionStarted(const v1::SessionStarted& started);
  void OnEnding(const absl::Status& status);
  void OnBroken(const absl::Status& status);
  void Fail(const absl::Status& status);
  void Tell(std::vector<ConsumerEvent> events);
  void MarkTold(const ConsumerEvent& event);
  // The same before it is: from now on the caller knows of the new positions.
  void MarkMovesTold(const ConsumerEvent& event);
  int64_t ReadingBound() const;
  void HearMore(bool more);
  bool Over() const { return closed_ || ended_ || !failed_.ok(); }

  // ---- The thread
  void Run();
  bool DoDueWork(absl::Time now, Lock& lock);
  absl::Time NextWork() const;
  absl::Time SilentAt() const;
  void ResumePositions(Lock& lock);
  void ApplyResume(Reading& reading, const v1::SeekResult& result, std::vector<Reading*>& refused);
  void ReturnToGroup(const std::vector<Reading*>& refused, const std::string& session_id,
                     Lock& lock);
  void HoldPaused(Lock& lock);
  void ReleaseIdle(Lock& lock);

  // ---- Poll
  void Collect(size_t max_records, std::vector<Portion>& portions);
  bool DropOrHold(const std::shared_ptr<BufferedBatch>& batch);
  void FreeBuffer(int64_t bytes);
  absl::Status Decode(const std::vector<Portion>& portions,
                      std::vector<ReceivedRecord>& records) const;

  // ---- Controls
  static absl::Status ClosedError();
  // Waits for a session whose positions are settled. Its id is empty where the subscription is
  // over.
  absl::StatusOr<Session> WaitForSession(absl::Time deadline, Lock& lock);
  // Fills and makes the call; repeats it while the hub is away or the session has changed.
  absl::StatusOr<v1::CommitOffsetResponse> CommitPatiently(
      const std::function<void(v1::CommitOffsetRequest&)>& fill, Durability durability);
  void FillPlaces(CommitScope scope, v1::CommitOffsetRequest& request);
  void ApplyCommit(const v1::CommitOffsetResponse& response);
  absl::Status AbandonUnread(const std::vector<SeekResult>& sought);
  bool SeekUnread(const SeekTarget& target, SeekResult& result);
  absl::Status SeekInSession(const v1::SeekRequest& request, const std::vector<size_t>& asked,
                             std::vector<SeekResult>& results, Lock& lock);
  void RunCommits();
  absl::Time Deadline() const;

  const std::shared_ptr<Connection> connection_;
  ConsumerOptions options_;
  v1::EventHubService::Stub stub_;

  mutable std::mutex mutex_;
  std::condition_variable work_;     // For the thread.
  std::condition_variable changed_;  // For callers: items, session, end.
  ReadingTable readings_;
  std::deque<Item> items_;
  int64_t buffered_bytes_ = 0;
  bool woken_ = false;

  RawStream* stream_ = nullptr;  // Null: none that may be read from.
  bool stream_exists_ = false;   // Until OnClosed.
  bool reading_ = false;         // A read is under way.
  bool silent_ = false;          // The stream was broken off because nothing came.
  absl::Time heard_at_;
  Session session_;
  std::string last_member_id_;
  std::optional<v1::Ending> ending_;
  bool hold_paused_ = false;                      // The session is to be told what is paused.
  bool release_due_ = false;                      // Revoked partitions may be free to go.
  absl::Time release_at_ = absl::InfinitePast();  // Not before: asking for it failed.
  bool hear_more_ = false;                        // Frames are read though the buffer is full.

  Backoff backoff_;
  absl::Time connect_at_ = absl::InfiniteFuture();
  absl::Time resume_at_ = absl::InfinitePast();  // Not before: a Seek that resumes failed.
  absl::Time away_since_;
  bool ever_connected_ = false;
  absl::Status last_error_;

  absl::Time awake_at_ = absl::InfinitePast();  // When the sleeping thread wakes by itself.

  bool ended_ = false;
  absl::Status failed_;
  bool closed_ = false;
  std::thread thread_;

  std::condition_variable commit_work_;
  std::vector<CommitAsked> commit_requests_;
  std::thread commit_thread_;
};

}  // namespace millrace::client
