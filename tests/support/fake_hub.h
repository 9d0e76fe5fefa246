// A hub in the test's own process that behaves as the contract says, in a few hundred lines over
// vectors, and misbehaves on demand: it cuts streams before or after storing, refuses, stays
// silent, dies and comes back on the same port. For tests of clients, which must see exactly when
// what happens; the real hub is tested elsewhere.
//
// Threads: any. Scripts run on the hub's threads, with no lock held.
#pragma once

#include <grpcpp/server.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/hub.grpc.pb.h"

namespace millrace::testing {

// What becomes of one request of a produce stream.
struct ProduceVerdict {
  enum Action {
    kHandle,          // As the contract says.
    kCutBeforeStore,  // The stream breaks; nothing is stored.
    kCutAfterStore,   // It is stored, and the stream breaks before the answer.
    kRefuse,          // `error` is the answer.
    kHold,            // Nothing is answered until ReleaseHeld, then as kHandle.
  };
  Action action = kHandle;
  v1::RequestError error = {};
};

v1::RequestError MakeRequestError(int code, const std::string& reason);
// As a failed call carries it.
grpc::Status ToStatus(const v1::RequestError& error);

class FakeHub {
 public:
  using SubscribeWriter = grpc::ServerWriter<v1::SubscribeResponse>;
  // `count` numbers the requests of the hub's whole life, from 1.
  using ProduceScript = std::function<ProduceVerdict(const v1::ProduceRequest&, int count)>;
  // Plays a whole Subscribe call. `count` as above.
  using SubscribeScript = std::function<grpc::Status(
      grpc::ServerContext&, const v1::SubscribeRequest&, int count, SubscribeWriter&)>;
  // Whether the subscription breaks instead of sending this frame, the `index`-th of its stream.
  using FrameScript = std::function<bool(const v1::SubscribeResponse&, int stream, int index)>;

  // What becomes of one Transact. kHold is not for it.
  using TransactScript = std::function<ProduceVerdict(const v1::TransactRequest&, int count)>;

  FakeHub();
  ~FakeHub();

  std::string target() const;
  // Breaks every connection; what is stored stays. Restart listens on the same port.
  void Kill();
  void Restart();

  // ---- Scripts; null: as the contract says.
  void SetProduceScript(ProduceScript script);
  void SetSubscribeScript(SubscribeScript script);
  void SetFrameScript(FrameScript script);
  void SetTransactScript(TransactScript script);
  void ReleaseHeld();

  // ---- Settings. Before the clients come.
  void SetLimits(const v1::Limits& limits);
  void SetProducerSequences(bool supported);
  // Records of a batch that subscriptions send.
  void SetBatchRecords(int records);

  // ---- What is there
  void CreateTopic(const std::string& topic, int partitions);
  void Append(const std::string& topic, int partition, const std::vector<std::string>& values);
  std::vector<std::string> Values(const std::string& topic, int partition) const;
  // What a group committed; nothing where it did not.
  std::optional<int64_t> Committed(const std::string& group, const std::string& topic,
                                   int partition) const;
  void SetCommitted(const std::string& group, const std::string& topic, int partition,
                    int64_t next_offset);
  // Replaces a topic by an empty one of the same name, under a later log epoch.
  void ReplaceTopic(const std::string& topic);
  // As for a rebalance: every open session of the group that has the partition gives it up. It is
  // told that it lost it once it commits or releases it.
  void Revoke(const std::string& group, const std::string& topic, int partition);
  // Drops the records before `offset`.
  void Truncate(const std::string& topic, int partition, int64_t offset);
  // The producer with this name, whatever its epoch, is forgotten.
  void ForgetProducers();
  void FenceProducers();

  // ---- What happened
  std::vector<v1::ProduceRequest> produce_requests() const;
  std::vector<v1::SubscribeRequest> subscribe_requests() const;
  std::vector<v1::CommitOffsetRequest> commit_requests() const;
  std::vector<v1::TransactRequest> transact_requests() const;
  bool HasSessions() const;
  int opened_epochs() const;
  int seeks() const;
  // Waits until `done`, which is asked whenever something happened. False after ten seconds.
  bool WaitFor(const std::function<bool()>& done);

 private:
  friend class FakeEventHubService;
  friend class FakeHubService;

  using TopicPartition = std::pair<std::string, int>;
  struct StoredRecord {
    v1::Record record;
    int64_t log_epoch = 0;
  };
  struct Partition {
    std::vector<StoredRecord> records;  // Also those that were truncated.
    int64_t earliest = 0;
    int64_t first_log_epoch = 1;
  };
  struct Producer {
    int64_t epoch = 0;
    int64_t last_sequence = 0;
    std::map<int64_t, v1::ProduceResponse> outcomes;
    std::map<int64_t, v1::TransactResponse> transactions;
  };
  struct Cursor {
    int64_t next = 0;
    int64_t position_epoch = 0;
    int64_t caught_up_at = 0;
    bool caught_up = false;
    bool paused = false;
  };
  struct Session {
    std::string member_id;
    std::string group;
    std::map<TopicPartition, Cursor> cursors;
    std::set<TopicPartition> revoking;
    std::vector<v1::SubscribeResponse> control;  // Goes before any records.
  };

  void Listen();
  v1::ProduceStreamResponse Produce(const v1::ProduceRequest& request);
  std::optional<v1::RequestError> CheckSequence(const v1::ProducerSequence& sequence,
                                                v1::ProduceResponse& known);
  bool Owns(const std::string& member_id, const v1::OffsetCommit& commit) const;
  bool IsSuperseded(const std::string& member_id, const v1::OffsetCommit& commit) const;
  void HandOver(const std::string& member_id, const TopicPartition& partition);
  grpc::Status CommitOffsets(const v1::CommitOffsetRequest& request,
                             v1::CommitOffsetResponse& response);
  grpc::Status Transact(const v1::TransactRequest& request, v1::TransactResponse& response);
  v1::ProduceResponse Store(const v1::ProduceRequest& request);
  grpc::Status Subscribe(grpc::ServerContext& context, const v1::SubscribeRequest& request,
                         int stream, SubscribeWriter& writer);
  grpc::Status OpenSession(const v1::SubscribeRequest& request, const std::string& id,
                           std::vector<v1::SubscribeResponse>& frames);
  std::optional<v1::SubscribeResponse> NextFrame(Session& session);
  v1::SeekResult Seek(Session& session, const v1::SeekTarget& target);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int port_ = 0;
  bool killed_ = false;
  bool held_released_ = false;
  ProduceScript produce_script_;
  SubscribeScript subscribe_script_;
  FrameScript frame_script_;
  TransactScript transact_script_;
  v1::Limits limits_;
  bool producer_sequences_ = true;
  int batch_records_ = 10;
  int64_t log_epoch_ = 1;
  int64_t last_position_epoch_ = 0;
  std::map<std::string, std::vector<Partition>> topics_;
  std::map<std::string, Producer> producers_;
  std::map<std::pair<std::string, TopicPartition>, int64_t> committed_;
  std::map<std::string, Session> sessions_;
  std::vector<v1::ProduceRequest> produce_requests_;
  std::vector<v1::SubscribeRequest> subscribe_requests_;
  std::vector<v1::CommitOffsetRequest> commit_requests_;
  std::vector<v1::TransactRequest> transact_requests_;
  int opened_epochs_ = 0;
  int seeks_ = 0;

  std::unique_ptr<v1::EventHubService::Service> events_;
  std::unique_ptr<v1::HubService::Service> hub_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace millrace::testing
