// What the steps of the hot path cost, by Google Benchmark. Not a test: run it to see.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "storage/batch/entries.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/bench/micro/works.h"

namespace millrace::bench {
namespace {

using storage::Durability;
using storage::Offset;
using storage::PartitionId;

void Walk(benchmark::State& state) {
  const WireWalk walk(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(walk.Run());
  state.SetItemsProcessed(state.iterations() * kRecords);
}
BENCHMARK(Walk)->ArgNames({"bytes", "headers"})->Args({88, 0})->Args({88, 2})->Args({1000, 0});

void Header(benchmark::State& state) {
  const BatchHeader header(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(header.Run());
  state.SetBytesProcessed(state.iterations() * header.bytes());
}
BENCHMARK(Header)->ArgName("bytes")->Arg(88)->Arg(1000);

void Frame(benchmark::State& state) {
  const FrameEncode frame(state.range(0), static_cast<int>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(frame.Run());
  state.SetItemsProcessed(state.iterations() * kRecords);
}
BENCHMARK(Frame)->ArgNames({"bytes", "batches"})->Args({88, 1})->Args({1000, 1})->Args({88, 1000});

// A log in a directory of its own.
class Log {
 public:
  Log() {
    std::string pattern = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    engine_ = std::move(storage::RocksDbEngine::Open({.data_dir = directory_})).value();
    partition_ = (*engine_->CreateTopic("bench", 1, {}))->partitions[0];
  }
  ~Log() {
    engine_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Appends and waits for the answer.
  void Append(const storage::EncodedRecords& records, Durability durability) {
    storage::WriteSet set{.durability = durability, .on_calling_thread = true};
    set.appends.push_back({.partition = partition_, .records = records});
    std::promise<void> done;
    engine_->Write(std::move(set), [&](const absl::StatusOr<storage::WriteResult>& result) {
      if (!result.ok()) std::abort();
      done.set_value();
    });
    done.get_future().get();
  }

  int64_t Read(Offset from, int64_t max_bytes) {
    std::promise<int64_t> done;
    engine_->Read(partition_, from, {.max_bytes = max_bytes},
                  [&](const absl::StatusOr<storage::ReadResult>& result) {
                    if (!result.ok()) std::abort();
                    done.set_value(static_cast<int64_t>(result->batches.size()));
                  });
    return done.get_future().get();
  }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<storage::Engine> engine_;
  PartitionId partition_;
};

storage::EncodedRecords Records(int64_t count, int64_t value_bytes) {
  const std::string all = MakeEntries(value_bytes, 0);
  const size_t bytes = storage::PrefixOfRecords(all, static_cast<int32_t>(count))->bytes;
  storage::SliceBuffer buffer(bytes);
  all.copy(buffer.data(), bytes);
  return {buffer.Share(0, buffer.size()), static_cast<int32_t>(count)};
}

// From Write to the answer, one at a time.
void Commit(benchmark::State& state) {
  Log log;
  const storage::EncodedRecords records = Records(state.range(0), 1000);
  const Durability durability = state.range(1) != 0 ? Durability::kSynced : Durability::kBuffered;
  for (auto _ : state) log.Append(records, durability);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Commit)
    ->ArgNames({"records", "synced"})
    ->Args({1, 0})
    ->Args({100, 0})
    ->Args({1, 1})
    ->UseRealTime();

// The newest records, out of memory, to so many readers.
void TailFanOut(benchmark::State& state) {
  constexpr int64_t kBatches = 64;
  Log log;
  const storage::EncodedRecords records = Records(16, 1000);
  for (int64_t i = 0; i < kBatches; ++i) log.Append(records, Durability::kBuffered);
  for (auto _ : state) {
    for (int64_t reader = 0; reader < state.range(0); ++reader) {
      benchmark::DoNotOptimize(log.Read(Offset(16 * (kBatches - 8)), 1 << 20));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * 8 * 16);
}
BENCHMARK(TailFanOut)->ArgName("readers")->Arg(1)->Arg(16);

}  // namespace
}  // namespace millrace::bench

BENCHMARK_MAIN();
