// The producer's parts at work together: callers add records, gRPC's threads move the stream on,
// one thread of its own does what has to wait (lingering, reconnecting, expiring) and runs
// callbacks.
//
// Threads: any, as millrace/producer.h says. One mutex guards everything; the stream is called with
// it held, callbacks and calls to the hub are made without.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "client/cpp/accumulator.h"
#include "client/cpp/backoff.h"
#include "client/cpp/channel.h"
#include "client/cpp/raw_stream.h"
#include "client/cpp/record_codec.h"
#include "client/cpp/send_window.h"
#include "millrace/admin.h"
#include "millrace/producer.h"
#include "millrace/v1/event_hub.grpc.pb.h"

namespace millrace::client {

// How long Send may wait for room.
enum class WhenFull { kWait, kRefuse };

class Producer::Core final : public RawStream::Listener {
 public:
  Core(std::shared_ptr<Connection> connection, ProducerOptions options, const HubInfo& hub);

  // Opens the first epoch. Once, before anything else.
  absl::Status OpenFirstEpoch();
  // Starts the thread and the stream.
  void Start();

  absl::Status Send(std::string_view topic, std::optional<int32_t> partition,
                    const RecordParts& record, Callback callback, WhenFull when_full);
  absl::Status Flush(absl::Duration timeout);
  absl::Status Close(absl::Duration timeout);

  std::string producer_id() const;
  ProducerStatistics statistics() const;

  void OnMessage(RawStream& stream, const grpc::ByteBuffer& message) override;
  void OnWritten(RawStream& stream) override;
  void OnEnded(RawStream& stream) override;
  void OnClosed(const absl::Status& status) override;

 private:
  using Lock = std::unique_lock<std::mutex>;

  absl::Status Judge(const RecordParts& record, size_t encoded_size) const;
  absl::Status WaitForRoom(int64_t bytes, WhenFull when_full, Lock& lock);
  bool HasRoom(int64_t bytes) const;
  absl::Status WhyRefused() const;

  // Sends what may be sent now.
  void Pump();
  void WriteToStream(const ProduceBatch& batch, bool repeated);
  void Connect();

  // The thread.
  void Run();
  void DeliverSettled(Lock& lock);
  void ExpireOld(absl::Time now);
  void OpenNextEpoch(Lock& lock);
  void ApplyEpoch(const absl::StatusOr<v1::OpenProducerResponse>& opened);
  absl::Time NextWork() const;
  void WakeThread();  // If it sleeps for too long.

  absl::StatusOr<v1::OpenProducerResponse> CallOpenProducer(const std::string& producer_id);
  void FailEverything(const absl::Status& error);
  bool Idle() const { return unsettled_ids_.empty(); }

  const std::shared_ptr<Connection> connection_;
  const ProducerOptions options_;
  const Limits limits_;
  v1::EventHubService::Stub stub_;

  mutable std::mutex mutex_;
  std::condition_variable work_;     // For the thread.
  std::condition_variable changed_;  // For callers: room, flushed, closed, stream gone.
  Accumulator accumulator_;
  SendWindow window_;
  RequestStamp stamp_;
  SettledBatches settled_;           // To be told by the thread, in order.
  std::set<int64_t> unsettled_ids_;  // Batches whose callbacks have not all run.
  int64_t buffered_bytes_ = 0;
  ProducerStatistics statistics_;
  absl::Status first_error_;  // Of a record without a callback, since the last Flush.

  RawStream* stream_ = nullptr;  // Null: none that may be written to.
  bool stream_exists_ = false;   // Until OnClosed.
  bool writing_ = false;         // A write is under way.
  Backoff backoff_;
  absl::Time connect_at_ = absl::InfinitePast();
  absl::Time pause_until_ = absl::InfinitePast();
  absl::Time awake_at_ = absl::InfiniteFuture();  // When the sleeping thread wakes by itself.
  grpc::ClientContext* call_ = nullptr;           // A call to the hub that Close breaks off.

  bool closed_ = false;  // No more records are taken in.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::client
