#include "millrace/producer.h"

#include <utility>

#include "client/cpp/patience.h"
#include "client/cpp/producer_core.h"
#include "millrace/admin.h"

namespace millrace::client {

absl::StatusOr<std::unique_ptr<Producer>> Producer::Open(std::shared_ptr<Connection> connection,
                                                         ProducerOptions options) {
  Patience patience(connection->options());
  Admin admin(connection);
  absl::StatusOr<HubInfo> hub;
  do {
    hub = admin.GetHub();
  } while (patience.WaitToRetry(hub.status()));
  if (!hub.ok()) return hub.status();

  options.idempotent = options.idempotent && hub->capabilities.producer_sequences;
  auto core = std::make_unique<Core>(std::move(connection), std::move(options), *hub);
  absl::Status opened;
  do {
    opened = core->OpenFirstEpoch();
  } while (patience.WaitToRetry(opened));
  if (!opened.ok()) return opened;
  core->Start();
  return std::unique_ptr<Producer>(new Producer(std::move(core)));
}

Producer::Producer(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Producer::~Producer() { (void)core_->Close(absl::ZeroDuration()); }

absl::Status Producer::Send(std::string_view topic, const Record& record, Callback callback) {
  return core_->Send(topic, std::nullopt, PartsOf(record), std::move(callback), WhenFull::kWait);
}

absl::Status Producer::Send(std::string_view topic, std::optional<int32_t> partition,
                            const Record& record, Callback callback) {
  return core_->Send(topic, partition, PartsOf(record), std::move(callback), WhenFull::kWait);
}

absl::Status Producer::SendBytes(std::string_view topic, std::optional<int32_t> partition,
                                 std::optional<std::string_view> key,
                                 std::optional<std::string_view> value, Callback callback) {
  const RecordParts parts{key, value, nullptr, std::nullopt};
  return core_->Send(topic, partition, parts, std::move(callback), WhenFull::kWait);
}

absl::Status Producer::TrySend(std::string_view topic, std::optional<int32_t> partition,
                               const Record& record, Callback callback) {
  return core_->Send(topic, partition, PartsOf(record), std::move(callback), WhenFull::kRefuse);
}

std::future<absl::StatusOr<Delivery>> Producer::SendAsync(std::string_view topic,
                                                          const Record& record,
                                                          std::optional<int32_t> partition) {
  std::promise<absl::StatusOr<Delivery>> promise;
  std::future<absl::StatusOr<Delivery>> future = promise.get_future();
  const absl::Status sent =
      Send(topic, partition, record,
           [promise = std::move(promise)](const absl::StatusOr<Delivery>& delivery) mutable {
             promise.set_value(delivery);
           });
  if (sent.ok()) return future;
  std::promise<absl::StatusOr<Delivery>> refused;
  refused.set_value(sent);
  return refused.get_future();
}

absl::Status Producer::Flush(absl::Duration timeout) { return core_->Flush(timeout); }

absl::Status Producer::Close(absl::Duration timeout) { return core_->Close(timeout); }

std::string Producer::producer_id() const { return core_->producer_id(); }

ProducerStatistics Producer::statistics() const { return core_->statistics(); }

}  // namespace millrace::client
