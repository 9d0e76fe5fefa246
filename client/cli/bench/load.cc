#include "client/cli/bench/load.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/output/progress.h"
#include "client/cli/parse/quantity.h"

namespace millrace::cli {
namespace {

constexpr absl::Duration kDrainTimeout = absl::Minutes(2);
constexpr int64_t kRecordOverheadBytes = 16;
constexpr int64_t kLeastBufferedBytes = 256 << 10;
// Records are cut from so many different places, so that no layer sees one again and again.
constexpr int64_t kPlaces = 4096;
constexpr int kSendsPerCheck = 1024;  // Between two looks at the clock.

absl::StatusOr<std::unique_ptr<client::Producer>> OpenProducer(Session& session, const Load& load) {
  client::ProducerOptions options;
  options.durability = load.durability;
  options.batch_records = load.batch;
  const int64_t request_bytes = load.batch * (load.record_size + kRecordOverheadBytes);
  options.batch_bytes = std::max(options.batch_bytes, request_bytes);
  // Enough that no stream ever waits for records, and little enough to be sent soon at the end.
  options.max_buffered_bytes = std::max(kLeastBufferedBytes, 2 * load.in_flight * request_bytes);
  options.max_in_flight_requests = load.in_flight;
  return client::Producer::Open(session.OpenConnection(), std::move(options));
}

absl::Status SendStream(client::Producer& producer, const Interrupts& interrupts,
                        const std::string& topic, int32_t partition, const Load& load,
                        int64_t max_records, std::string_view noise, absl::Time deadline) {
  const int check = static_cast<int>(
      std::clamp<int64_t>((1 << 20) / std::max<int64_t>(load.record_size, 1), 1, kSendsPerCheck));
  for (int64_t sent = 0; sent < max_records; ++sent) {
    if (sent % check == 0) {
      if (interrupts.requested() || absl::Now() >= deadline) break;
      if (producer.statistics().records_failed > 0) break;  // Flush says why.
    }
    const std::string_view value = noise.substr(sent % kPlaces, load.record_size);
    absl::Status status = producer.SendBytes(topic, partition, std::nullopt, value);
    if (!status.ok()) return status;
  }
  return producer.Flush(kDrainTimeout);
}

// One producer on a thread of its own.
struct Stream {
  std::unique_ptr<client::Producer> producer;
  absl::Status status;
  std::atomic<bool> done{false};
  std::thread thread;
};

int64_t Delivered(const std::vector<std::unique_ptr<Stream>>& streams) {
  int64_t records = 0;
  for (const auto& stream : streams) records += stream->producer->statistics().records_delivered;
  return records;
}

void ShowProgress(const std::vector<std::unique_ptr<Stream>>& streams) {
  Progress progress(true);
  const auto all_done = [&] {
    return std::all_of(streams.begin(), streams.end(),
                       [](const auto& s) { return s->done.load(); });
  };
  while (!all_done()) {
    absl::SleepFor(absl::Milliseconds(5));
    progress.Update([&] { return CountText(Delivered(streams)) + " records"; });
  }
}

}  // namespace

double Throughput::RecordsPerSecond() const {
  return static_cast<double>(records) / std::max(absl::ToDoubleSeconds(elapsed), 1e-6);
}

double Throughput::MegabytesPerSecond() const {
  return static_cast<double>(bytes) / 1e6 / std::max(absl::ToDoubleSeconds(elapsed), 1e-6);
}

std::string RandomBytes(int64_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(static_cast<size_t>(size), '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
  return bytes;
}

std::string DurabilityText(client::Durability durability) {
  switch (durability) {
    case client::Durability::kBuffered:
      return "buffered";
    case client::Durability::kSynced:
      return "synced";
    case client::Durability::kHubDefault:
      break;
  }
  return "hub's default";
}

absl::StatusOr<Throughput> SendLoad(Session& session, const Interrupts& interrupts,
                                    const std::string& topic, int32_t partitions, const Load& load,
                                    const SendLimit& limit) {
  std::vector<std::unique_ptr<Stream>> streams;
  for (int32_t i = 0; i < load.streams; ++i) {
    absl::StatusOr<std::unique_ptr<client::Producer>> producer = OpenProducer(session, load);
    if (!producer.ok()) return producer.status();
    streams.push_back(std::make_unique<Stream>());
    streams.back()->producer = *std::move(producer);
  }
  const std::string noise = RandomBytes(load.record_size + kPlaces, 1);
  const absl::Time start = absl::Now();
  const absl::Time deadline = start + limit.duration;
  for (int32_t i = 0; i < load.streams; ++i) {
    Stream& stream = *streams[i];
    stream.thread = std::thread([&, i] {
      stream.status = SendStream(*stream.producer, interrupts, topic, i % partitions, load,
                                 limit.records, noise, deadline);
      stream.done = true;
    });
  }
  ShowProgress(streams);
  const absl::Duration elapsed = absl::Now() - start;
  for (const auto& stream : streams) stream->thread.join();
  for (const auto& stream : streams) {
    if (!stream->status.ok()) return stream->status;
  }
  const int64_t records = Delivered(streams);
  return Throughput{records, records * load.record_size, elapsed};
}

}  // namespace millrace::cli
