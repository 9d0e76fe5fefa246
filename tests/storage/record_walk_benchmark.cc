// What the walk, the checksum and the framing cost. Not a test: run it to see.
#include <benchmark/benchmark.h>

#include <string>

#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"
#include "storage/batch/stored_batch.h"

namespace millrace::storage {
namespace {

constexpr int kRecords = 1000;

// Entries of `kRecords` records with a key, a value of so many bytes and so many headers.
std::string Entries(int64_t value_bytes, int64_t headers) {
  std::string entries;
  for (int i = 0; i < kRecords; ++i) {
    const std::string key = "key-" + std::to_string(1000 + i);
    const std::string value(static_cast<size_t>(value_bytes), 'v');
    RecordView record;
    record.key = key;
    record.value = value;
    for (int64_t h = 0; h < headers; ++h) record.headers.push_back({"traceparent", "00-4bf92f35"});
    AppendRecordEntry(record, &entries);
  }
  return entries;
}

void Walk(benchmark::State& state) {
  const std::string entries = Entries(state.range(0), state.range(1));
  for (auto _ : state) {
    EntryReader reader(entries);
    for (std::string_view record; reader.Next(&record);) {
      RecordFacts facts;
      benchmark::DoNotOptimize(WalkRecord(record, RecordLimits{}, &facts));
      benchmark::DoNotOptimize(facts);
    }
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
}
BENCHMARK(Walk)->Args({88, 0})->Args({88, 2})->Args({1000, 0});

void Checksum(benchmark::State& state) {
  const std::string entries = Entries(state.range(0), 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(EncodeBatchHeader({kRecords, 0, LogEpoch(1)}, {entries}));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(entries.size()));
}
BENCHMARK(Checksum)->Arg(88)->Arg(1000);

}  // namespace
}  // namespace millrace::storage

BENCHMARK_MAIN();
