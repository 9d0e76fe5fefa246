// Sending records to a hub: batched, in order, and by default exactly once.
//
//     auto connection = *Connection::Open({.target = "localhost:9640"});
//     auto producer = Producer::Open(connection);
//     if (!producer.ok()) ...
//     (*producer)->Send("orders", {.key = "42", .value = "..."});
//     absl::Status status = (*producer)->Flush(absl::Seconds(30));
//
// Records of one topic (and partition, where one is named) collect into a request until it holds
// batch_bytes or is `linger` old; requests go over one stream, several at a time. When the stream
// breaks (the hub was killed, the network is gone) the producer reconnects and repeats what has no
// answer, in order and under the same sequence numbers, until delivery_timeout: nothing is lost,
// doubled or reordered. A request that the hub refuses (TOPIC_NOT_FOUND, say) fails its own records
// and nothing else.
//
// Order: records of one topic that go to one partition keep the order of their Sends, as long as
// their Sends either all name the partition or all leave it out.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/connection.h"
#include "millrace/record.h"

namespace millrace::client {

struct ProducerOptions {
  // A stable name, `[a-zA-Z0-9._-]{1,249}`: opening it fences whoever used it before. Empty: the
  // hub makes one up.
  std::string producer_id = {};

  // Numbers the requests so that a repeated one is stored once. Without it, what has no answer when
  // the stream breaks fails with the stream's error and may or may not be stored; and it is what is
  // done on an engine without producer_sequences.
  bool idempotent = true;

  Durability durability = Durability::kHubDefault;

  absl::Duration linger = absl::Milliseconds(2);  // How long a record waits for company.
  int64_t batch_bytes = 256 << 10;                // A request is sent when it holds so many.
  int32_t batch_records = 10'000;                 // Or so many records.

  int32_t max_in_flight_requests = 16;    // Sent and not answered; at most the hub's window.
  int64_t max_buffered_bytes = 64 << 20;  // Accepted and not answered; Send waits at this bound.

  // From Send to the answer. After it a record fails with DELIVERY_TIMEOUT; if its request was on
  // its way, it may be stored all the same.
  absl::Duration delivery_timeout = absl::Minutes(2);
};

// Where a record went.
struct Delivery {
  int32_t partition = -1;  // -1: stored, but the hub no longer knows where (result_expired).
  int64_t offset = -1;     // -1: likewise.
};

struct ProducerStatistics {
  int64_t records_delivered = 0;
  int64_t records_failed = 0;
  int64_t requests_sent = 0;      // Repetitions included.
  int64_t requests_repeated = 0;  // After the stream broke, or behind a refused request.
  int64_t duplicates = 0;         // Requests that the hub had stored before it was asked again.
  int64_t reconnects = 0;
};

// Threads: any. Callbacks run one at a time on a thread of the library, in the order in which
// requests were sent and, within one, of its records; they must not block, and must not call Flush
// or Close. They may call TrySend.
class Producer {
 public:
  using Callback = absl::AnyInvocable<void(const absl::StatusOr<Delivery>&) &&>;

  // Asks the hub for its limits and opens the producer's epoch; waits for a hub that is not there
  // yet up to ConnectionOptions::request_timeout. INVALID_NAME, or UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<Producer>> Open(std::shared_ptr<Connection> connection,
                                                        ProducerOptions options = {});

  // As Close with a timeout of zero: what is not delivered fails with CLOSED.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Takes a record in and returns; waits while max_buffered_bytes is reached, up to
  // delivery_timeout (then BUFFER_FULL). `callback` is called once, unless Send returns an error:
  // RECORD_TOO_LARGE (over the hub's limits of a record, its key or its headers), INVALID_ARGUMENT
  // (a header name that is not UTF-8), CLOSED, or PRODUCER_FENCED, which is final.
  absl::Status Send(std::string_view topic, const Record& record, Callback callback = nullptr);
  absl::Status Send(std::string_view topic, std::optional<int32_t> partition, const Record& record,
                    Callback callback = nullptr);

  // As Send, for a key and a value that need not be copied into a Record first.
  absl::Status SendBytes(std::string_view topic, std::optional<int32_t> partition,
                         std::optional<std::string_view> key, std::optional<std::string_view> value,
                         Callback callback = nullptr);

  // As Send, but answers BUFFER_FULL where Send would wait.
  absl::Status TrySend(std::string_view topic, std::optional<int32_t> partition,
                       const Record& record, Callback callback = nullptr);

  // As Send; the future has what the callback would get, or Send's error.
  std::future<absl::StatusOr<Delivery>> SendAsync(std::string_view topic, const Record& record,
                                                  std::optional<int32_t> partition = std::nullopt);

  // Sends what is collected without lingering and waits until everything that was accepted before
  // the call is answered. The error of the first record without a callback that failed since the
  // last Flush; DEADLINE_EXCEEDED after `timeout`, and everything goes on.
  absl::Status Flush(absl::Duration timeout);

  // Flushes, then ends the stream; what is not delivered by `timeout` fails with CLOSED. Sends that
  // come later, or wait, are refused with CLOSED. Idempotent.
  absl::Status Close(absl::Duration timeout);

  std::string producer_id() const;  // Empty without idempotence.
  ProducerStatistics statistics() const;

 private:
  class Core;
  explicit Producer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace millrace::client
