#include "client/cli/bench/latency.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "client/cli/bench/load.h"
#include "client/cli/output/progress.h"
#include "client/cli/parse/quantity.h"
#include "millrace/consumer.h"

namespace millrace::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr absl::Duration kDrainTimeout = absl::Seconds(30);
constexpr size_t kStampBytes = sizeof(SteadyClock::rep);

absl::Duration Since(SteadyClock::time_point due) {
  return absl::FromChrono(SteadyClock::now() - due);
}

// A record begins with the time it was due, which only this process understands.
void Stamp(SteadyClock::time_point due, std::string& value) {
  const SteadyClock::rep ticks = due.time_since_epoch().count();
  std::memcpy(value.data(), &ticks, kStampBytes);
}

std::optional<SteadyClock::time_point> DueOf(const client::ReceivedRecord& record) {
  if (!record.value || record.value->size() < kStampBytes) return std::nullopt;
  SteadyClock::rep ticks = 0;
  std::memcpy(&ticks, record.value->data(), kStampBytes);
  return SteadyClock::time_point(SteadyClock::duration(ticks));
}

// Reads the topic's new records on a thread of its own until it has as many as were stored.
class Receiver {
 public:
  explicit Receiver(std::unique_ptr<client::Consumer> consumer)
      : consumer_(std::move(consumer)), thread_([this] { Read(); }) {}
  ~Receiver() {
    if (thread_.joinable()) Finish(0);
  }

  // Waits for `records` in all, though no longer than the drain timeout.
  Percentiles Finish(int64_t records) {
    give_up_ = SteadyClock::now() + absl::ToChronoSeconds(kDrainTimeout);
    wanted_ = records;
    consumer_->Wake();
    thread_.join();
    return std::move(latencies_);
  }

  const absl::Status& status() const { return status_; }  // After Finish.

 private:
  void Read() {
    while (!Done()) {
      const absl::Duration wait = absl::Milliseconds(wanted_ < 0 ? 1000 : 50);
      absl::StatusOr<std::vector<client::ReceivedRecord>> records = consumer_->Poll(wait);
      if (!records.ok()) {
        status_ = records.status();
        return;
      }
      for (const client::ReceivedRecord& record : *records) {
        if (const auto due = DueOf(record)) latencies_.Add(Since(*due));
      }
    }
  }

  bool Done() const {
    const int64_t wanted = wanted_;
    return wanted >= 0 &&
           (static_cast<int64_t>(latencies_.count()) >= wanted || SteadyClock::now() >= give_up_);
  }

  std::unique_ptr<client::Consumer> consumer_;
  Percentiles latencies_;
  absl::Status status_;
  SteadyClock::time_point give_up_;  // Set before wanted_.
  std::atomic<int64_t> wanted_{-1};  // -1: not known yet.
  std::thread thread_;               // Uses the members above.
};

// Collects acknowledgements. Threads: any.
class Acknowledgements {
 public:
  void Add(absl::Duration latency) {
    const std::lock_guard lock(mutex_);
    latencies_.Add(latency);
  }
  Percentiles Take() {
    const std::lock_guard lock(mutex_);
    return std::move(latencies_);
  }

 private:
  std::mutex mutex_;
  Percentiles latencies_;
};

absl::Status SendAtRate(client::Producer& producer, const Interrupts& interrupts,
                        const std::string& topic, int32_t partitions, const LatencyLoad& load,
                        Acknowledgements& acknowledgements) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // Else a sleep may last 50 us too long.
  Progress progress(true);
  std::string value = RandomBytes(std::max<int64_t>(load.record_size, kStampBytes), 1);
  const auto total = static_cast<int64_t>(load.rate * absl::ToDoubleSeconds(load.duration));
  const SteadyClock::time_point start = SteadyClock::now();
  for (int64_t i = 0; i < total && !interrupts.requested(); ++i) {
    const auto due = start + std::chrono::duration_cast<SteadyClock::duration>(
                                 std::chrono::duration<double>(static_cast<double>(i) / load.rate));
    std::this_thread::sleep_until(due);
    Stamp(due, value);
    absl::Status status = producer.SendBytes(
        topic, static_cast<int32_t>(i % partitions), std::nullopt, value,
        [&acknowledgements, due](const absl::StatusOr<client::Delivery>& delivery) {
          if (delivery.ok()) acknowledgements.Add(Since(due));
        });
    if (!status.ok()) return status;
    progress.Update([&] { return CountText(i) + " of " + CountText(total) + " records"; });
  }
  return producer.Flush(kDrainTimeout);
}

}  // namespace

absl::StatusOr<LatencyResult> MeasureLatency(Session& session, const Interrupts& interrupts,
                                             const std::string& topic, int32_t partitions,
                                             const LatencyLoad& load) {
  client::ConsumerOptions reading;
  reading.topics = {topic};
  absl::StatusOr<std::unique_ptr<client::Consumer>> consumer =
      client::Consumer::Open(session.connection(), std::move(reading));
  if (!consumer.ok()) return consumer.status();
  Acknowledgements acknowledgements;  // Outlives the producer, which calls it.
  client::ProducerOptions sending;
  sending.durability = load.durability;
  sending.linger = absl::ZeroDuration();
  absl::StatusOr<std::unique_ptr<client::Producer>> producer =
      client::Producer::Open(session.connection(), std::move(sending));
  if (!producer.ok()) return producer.status();

  Receiver receiver(*std::move(consumer));
  absl::Status status =
      SendAtRate(**producer, interrupts, topic, partitions, load, acknowledgements);
  const client::ProducerStatistics statistics = (*producer)->statistics();
  LatencyResult result;
  result.records = statistics.records_delivered;
  result.received = receiver.Finish(statistics.records_delivered);
  result.acknowledged = acknowledgements.Take();
  if (!status.ok()) return status;
  if (!receiver.status().ok()) return receiver.status();
  if (statistics.records_failed > 0) {
    return absl::AbortedError(CountText(statistics.records_failed) + " records were not stored");
  }
  return result;
}

}  // namespace millrace::cli
