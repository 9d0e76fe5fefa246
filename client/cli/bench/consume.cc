#include "client/cli/bench/consume.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/output/progress.h"
#include "client/cli/parse/quantity.h"
#include "millrace/consumer.h"

namespace millrace::cli {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(200);

// One reader on a thread of its own.
struct Reader {
  std::unique_ptr<client::Consumer> consumer;
  std::atomic<int64_t> records{0};
  std::atomic<int64_t> bytes{0};
  std::atomic<bool> done{false};
  absl::Status status;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<client::Consumer>> OpenConsumer(Session& session,
                                                               const std::string& topic) {
  client::ConsumerOptions options;
  options.topics = {topic};
  options.start = client::Earliest{};
  options.end_at_current = true;
  options.reconnect_timeout = absl::Seconds(30);
  return client::Consumer::Open(session.OpenConnection(), std::move(options));
}

absl::Status ReadToEnd(Reader& reader, const Interrupts& interrupts, absl::Time deadline) {
  while (!reader.consumer->ended() && !interrupts.requested() && absl::Now() < deadline) {
    absl::StatusOr<std::vector<client::ReceivedRecord>> records = reader.consumer->Poll(kPoll);
    if (!records.ok()) return records.status();
    int64_t bytes = 0;
    for (const client::ReceivedRecord& record : *records) {
      bytes += static_cast<int64_t>((record.key ? record.key->size() : 0) +
                                    (record.value ? record.value->size() : 0));
    }
    reader.records += static_cast<int64_t>(records->size());
    reader.bytes += bytes;
  }
  return absl::OkStatus();
}

Throughput SumOf(const std::vector<std::unique_ptr<Reader>>& readers, absl::Time start) {
  Throughput sum;
  for (const auto& reader : readers) {
    sum.records += reader->records;
    sum.bytes += reader->bytes;
  }
  sum.elapsed = absl::Now() - start;
  return sum;
}

}  // namespace

absl::StatusOr<Throughput> ReadLoad(Session& session, const Interrupts& interrupts,
                                    const std::string& topic, int32_t readers,
                                    absl::Duration duration) {
  const absl::Time start = absl::Now();
  std::vector<std::unique_ptr<Reader>> all;
  for (int32_t i = 0; i < readers; ++i) {
    absl::StatusOr<std::unique_ptr<client::Consumer>> consumer = OpenConsumer(session, topic);
    if (!consumer.ok()) return consumer.status();
    all.push_back(std::make_unique<Reader>());
    all.back()->consumer = *std::move(consumer);
  }
  for (const auto& reader : all) {
    reader->thread = std::thread([&, reader = reader.get()] {
      reader->status = ReadToEnd(*reader, interrupts, start + duration);
      reader->done = true;
    });
  }
  Progress progress(true);
  while (!std::all_of(all.begin(), all.end(), [](const auto& r) { return r->done.load(); })) {
    absl::SleepFor(absl::Milliseconds(5));
    progress.Update([&] { return CountText(SumOf(all, start).records) + " records"; });
  }
  const Throughput sum = SumOf(all, start);
  for (const auto& reader : all) reader->thread.join();
  for (const auto& reader : all) {
    if (!reader->status.ok()) return reader->status;
  }
  return sum;
}

}  // namespace millrace::cli
