// What the RocksDB engine alone does: no sockets, no protobuf. Prints one line a case.
//
//   engine_bench DATA_DIR [SECONDS]
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/batch/record_view.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace {

using millrace::storage::Admission;
using millrace::storage::Durability;
using millrace::storage::EncodedRecords;
using millrace::storage::Engine;
using millrace::storage::PartitionId;
using millrace::storage::RecordView;
using millrace::storage::RocksDbEngine;
using millrace::storage::SliceBuffer;
using millrace::storage::WriteResult;
using millrace::storage::WriteSet;
using Clock = std::chrono::steady_clock;

struct Case {
  const char* name;
  int writers;
  int window;  // Writes under way of each writer.
  int records;
  int value_bytes;
  Durability durability;
};

EncodedRecords MakeRecords(int count, int value_bytes) {
  std::string entries;
  std::string value(static_cast<size_t>(value_bytes), '\0');
  for (int i = 0; i < count; ++i) {
    for (char& c : value) c = static_cast<char>(std::rand());
    RecordView record;
    record.value = value;
    AppendRecordEntry(record, &entries);
  }
  SliceBuffer buffer(entries.size());
  entries.copy(buffer.data(), entries.size());
  return {buffer.Share(0, buffer.size()), count};
}

// Keeps `window` writes to one partition under way.
class Writer {
 public:
  Writer(Engine& engine, PartitionId partition, const Case& settings)
      : engine_(engine),
        partition_(partition),
        settings_(settings),
        records_(MakeRecords(settings.records, settings.value_bytes)) {}

  void Run(Clock::time_point end) {
    while (Clock::now() < end) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return under_way_ < settings_.window; });
        ++under_way_;
      }
      WriteSet set{.durability = settings_.durability, .admission = Admission::kAlways};
      set.appends.push_back({.partition = partition_, .records = records_});
      engine_.Write(std::move(set), [this](absl::StatusOr<WriteResult> result) {
        if (!result.ok()) {
          std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
          std::abort();
        }
        const std::lock_guard lock(mutex_);
        ++done_;
        if (under_way_-- == settings_.window || under_way_ == 0) changed_.notify_one();
      });
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return under_way_ == 0; });
  }

  int64_t done() const { return done_; }

 private:
  Engine& engine_;
  const PartitionId partition_;
  const Case settings_;
  const EncodedRecords records_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int under_way_ = 0;
  int64_t done_ = 0;
};

void Measure(const std::string& directory, const Case& settings, int seconds) {
  std::filesystem::remove_all(directory);
  auto engine = RocksDbEngine::Open({.data_dir = directory});
  if (!engine.ok()) {
    std::fprintf(stderr, "%s\n", engine.status().ToString().c_str());
    std::exit(1);
  }
  const auto topic = (*engine)->CreateTopic("bench", settings.writers, {});
  std::vector<std::unique_ptr<Writer>> writers;
  for (const PartitionId partition : (*topic)->partitions) {
    writers.push_back(std::make_unique<Writer>(**engine, partition, settings));
  }
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (auto& writer : writers) {
    threads.emplace_back(
        [&writer, end = start + std::chrono::seconds(seconds)] { writer->Run(end); });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  int64_t writes = 0;
  for (const auto& writer : writers) writes += writer->done();
  const double records = static_cast<double>(writes) * settings.records / took;
  std::printf("%-44s %10.0f writes/s %12.0f records/s %8.1f MB/s\n", settings.name,
              static_cast<double>(writes) / took, records, records * settings.value_bytes / 1e6);
  std::fflush(stdout);
  (*engine)->Close().IgnoreError();
  engine->reset();
  std::filesystem::remove_all(directory);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: engine_bench DATA_DIR [SECONDS]\n");
    return 2;
  }
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  const Case cases[] = {
      {"100 B x 1000, 4 writers, BUFFERED", 4, 16, 1000, 100, Durability::kBuffered},
      {"100 B x 1000, 4 writers, SYNCED", 4, 16, 1000, 100, Durability::kSynced},
      {"1 KB x 100, 4 writers, BUFFERED", 4, 16, 100, 1000, Durability::kBuffered},
      {"1 KB x 100, 4 writers, SYNCED", 4, 16, 100, 1000, Durability::kSynced},
      {"100 B x 1, 4 writers, BUFFERED", 4, 64, 1, 100, Durability::kBuffered},
      {"100 B x 1, 64 writers waiting, SYNCED", 64, 1, 1, 100, Durability::kSynced},
      {"100 B x 1, 4 writers of 16, SYNCED", 4, 16, 1, 100, Durability::kSynced},
      {"100 B x 1, 1 writer waiting, SYNCED", 1, 1, 1, 100, Durability::kSynced},
  };
  for (const Case& settings : cases) Measure(std::string(argv[1]) + "/data", settings, seconds);
}
