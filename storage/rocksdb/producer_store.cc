#include "storage/rocksdb/producer_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "storage/error.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

// Windows in memory, at most twice as many.
constexpr size_t kGenerationSize = 1024;

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

absl::Status BadRow() { return Error(Reason::kStorageFailed, "a producer's row is damaged"); }

// The first key after all keys of a producer.
std::string KeyAfter(std::string_view producer_id) {
  return rows::OutcomeKey(producer_id, UINT32_MAX) + '\0';
}

}  // namespace

ProducerWindow* ProducerStore::Find(std::string_view producer_id) {
  if (const auto found = young_.find(ToAbsl(producer_id)); found != young_.end()) {
    return found->second.get();
  }
  std::unique_ptr<ProducerWindow> window;
  if (const auto found = old_.find(ToAbsl(producer_id)); found != old_.end()) {
    window = std::move(found->second);
    old_.erase(found);
  } else {
    auto loaded = Load(producer_id);
    if (!loaded.ok()) {
      error_ = loaded.status();
      return nullptr;
    }
    window = *std::move(loaded);
  }
  if (window == nullptr) return nullptr;
  return (young_[std::string(producer_id)] = std::move(window)).get();
}

absl::StatusOr<std::unique_ptr<ProducerWindow>> ProducerStore::Load(std::string_view producer_id) {
  const std::string begin = rows::ProducerKey(producer_id);
  const std::string end = KeyAfter(producer_id);
  const rocksdb::Slice upper = ToSlice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_.db().NewIterator(read, database_.producers()));
  it->Seek(ToSlice(begin));
  if (!it->Valid() || ToView(it->key()) != begin) {
    if (auto status = ToStatus(it->status(), "cannot read a producer"); !status.ok()) return status;
    return nullptr;
  }
  rows::ProducerRow head;
  if (!rows::DecodeProducer(ToView(it->value()), &head)) return BadRow();
  std::vector<rows::OutcomeRow> outcomes;
  int64_t last_sequence = head.last_sequence;
  for (it->Next(); it->Valid(); it->Next()) {
    rows::OutcomeRow row;
    if (!rows::DecodeOutcome(ToView(it->value()), &row)) return BadRow();
    last_sequence = std::max(last_sequence, row.sequence);
    outcomes.push_back(std::move(row));
  }
  if (auto status = ToStatus(it->status(), "cannot read a producer"); !status.ok()) return status;
  auto window = std::make_unique<ProducerWindow>(window_);
  window->Restore(head.epoch, last_sequence);
  for (rows::OutcomeRow& row : outcomes) {
    window->RestoreOutcome(row.sequence, std::move(row.outcome));
  }
  return window;
}

void ProducerStore::Store(ProducerWindow& window, std::string_view producer_id,
                          ProducerOutcome outcome, UnixMillis now, rocksdb::WriteBatch& batch) {
  const int64_t sequence = window.last_sequence() + 1;
  rows::OutcomeRow row{.sequence = sequence, .time = now, .outcome = std::move(outcome)};
  const auto slot = static_cast<uint32_t>(sequence % window_);
  batch.Put(database_.producers(), ToSlice(rows::OutcomeKey(producer_id, slot)),
            ToSlice(rows::EncodeOutcome(row)));
  window.Store(std::move(row.outcome));
}

void ProducerStore::AddEpochRow(std::string_view producer_id, const ProducerWindow& next,
                                UnixMillis now, rocksdb::WriteBatch& batch) {
  const rows::ProducerRow row{
      .epoch = next.epoch(), .last_sequence = next.last_sequence(), .open_time = now};
  batch.Put(database_.producers(), ToSlice(rows::ProducerKey(producer_id)),
            ToSlice(rows::EncodeProducer(row)));
}

void ProducerStore::Forget(std::string_view producer_id) {
  young_.erase(ToAbsl(producer_id));
  old_.erase(ToAbsl(producer_id));
}

absl::StatusOr<std::vector<ProducerStore::IdleProducer>> ProducerStore::ListIdle(
    UnixMillis cutoff) {
  std::vector<IdleProducer> idle;
  IdleProducer current;
  UnixMillis last_use = 0;
  const auto finish = [&] {
    if (!current.id.empty() && last_use <= cutoff) idle.push_back(current);
  };
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_.db().NewIterator(read, database_.producers()));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    std::string_view id;
    std::optional<uint32_t> slot;
    rows::ProducerRow head;
    rows::OutcomeRow outcome;
    if (!rows::DecodeProducerKey(ToView(it->key()), &id, &slot)) return BadRow();
    if (!slot) {
      finish();
      if (!rows::DecodeProducer(ToView(it->value()), &head)) return BadRow();
      current = {std::string(id), head.epoch, head.last_sequence};
      last_use = head.open_time;
    } else {
      if (!rows::DecodeOutcome(ToView(it->value()), &outcome)) return BadRow();
      current.last_sequence = std::max(current.last_sequence, outcome.sequence);
      last_use = std::max(last_use, outcome.time);
    }
  }
  finish();
  if (auto status = ToStatus(it->status(), "cannot read producers"); !status.ok()) return status;
  return idle;
}

void ProducerStore::AddDeletion(std::string_view producer_id, rocksdb::WriteBatch& batch) {
  batch.DeleteRange(database_.producers(), ToSlice(rows::ProducerKey(producer_id)),
                    ToSlice(KeyAfter(producer_id)));
}

void ProducerStore::EndGroup() {
  if (young_.size() < kGenerationSize) return;
  old_ = std::exchange(young_, {});
}

}  // namespace millrace::storage
