#include "server/hub/record_placement.h"

#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/hub/placement.h"
#include "server/hub/topics.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_walk.h"
#include "storage/batch/wire.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::EncodedRecords;
using storage::EntryReader;
namespace wire = storage::wire;

namespace {

// The records of one partition while they are collected.
struct Share {
  int32_t partition = 0;
  size_t bytes = 0;
  std::vector<int32_t> record_indexes;
};

int32_t PartitionOf(std::string_view record, int32_t partition_count, int32_t keyless_partition) {
  storage::RecordFacts facts;
  storage::WalkRecord(record, storage::RecordLimits(), &facts);
  return facts.has_key ? PartitionForKey(facts.key, partition_count) : keyless_partition;
}

// Copies the entries apart, each to the share that share_of_record names.
Placement Scatter(std::string_view entries, const std::vector<size_t>& share_of_record,
                  std::vector<Share> shares) {
  std::vector<storage::SliceBuffer> buffers;
  std::vector<char*> outs;
  for (const Share& share : shares) outs.push_back(buffers.emplace_back(share.bytes).data());
  EntryReader reader(entries);
  size_t begin = 0;
  size_t index = 0;
  for (std::string_view record; reader.Next(&record); begin = reader.position()) {
    char*& out = outs[share_of_record[index++]];
    std::memcpy(out, entries.data() + begin, reader.position() - begin);
    out += reader.position() - begin;
  }
  Placement placement;
  for (size_t i = 0; i < shares.size(); ++i) {
    const auto count = static_cast<int32_t>(shares[i].record_indexes.size());
    placement.push_back({shares[i].partition,
                         {buffers[i].Share(0, buffers[i].size()), count},
                         std::move(shares[i].record_indexes)});
  }
  return placement;
}

// Stands at the front of a transaction's placements, where a single placement has the number of a
// partition, which this cannot be.
constexpr uint64_t kTransactionMark = uint64_t{1} << 32;

void AppendVarint(std::string& out, uint64_t value) {
  char bytes[wire::kMaxVarintBytes];
  out.append(bytes, wire::WriteVarint(bytes, value) - bytes);
}

// For each partition its number, how many indexes follow, and each as the distance from the one
// before.
void AppendPlacement(std::string& out, const Placement& placement) {
  for (const PlacedRecords& placed : placement) {
    AppendVarint(out, placed.partition);
    AppendVarint(out, placed.record_indexes.size());
    int32_t last = 0;
    for (int32_t index : placed.record_indexes) {
      AppendVarint(out, index - last);
      last = index;
    }
  }
}

class VarintReader {
 public:
  explicit VarintReader(std::string_view bytes)
      : p_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool Next(uint64_t* value) {
    if (p_ != nullptr) p_ = wire::ReadVarint(p_, end_, value);
    return p_ != nullptr;
  }
  bool done() const { return p_ == end_; }

 private:
  const char* p_;  // Null once something could not be read.
  const char* const end_;
};

bool ReadPlaced(VarintReader& in, PlacedRecords* placed) {
  uint64_t partition;
  uint64_t left;
  if (!in.Next(&partition) || !in.Next(&left)) return false;
  placed->partition = static_cast<int32_t>(partition);
  int32_t last = 0;
  for (uint64_t step; left > 0; --left) {
    if (!in.Next(&step)) return false;
    last += static_cast<int32_t>(step);
    placed->record_indexes.push_back(last);
  }
  return true;
}

bool IsOfTransaction(std::string_view bytes) {
  uint64_t first;
  return VarintReader(bytes).Next(&first) && first == kTransactionMark;
}

absl::Status Damaged() {
  return storage::Error(storage::Reason::kInternal, "a stored placement is damaged");
}

absl::Status StoredBy(std::string_view call) {
  return storage::Error(storage::Reason::kInvalidSequence,
                        "the request that was stored under this sequence was a " +
                            std::string(call) + ": repeat it with that call",
                        {{"field", "sequence"}});
}

}  // namespace

absl::StatusOr<Placement> RecordPlacer::Place(const storage::Topic& topic,
                                              std::optional<int32_t> partition,
                                              EncodedRecords records) {
  if (partition) {
    const auto id = Topics::PartitionOf(topic, *partition);
    if (!id.ok()) return id.status();
    Placement placement;
    placement.push_back({*partition, std::move(records), {}});
    return placement;
  }
  const auto partition_count = static_cast<uint32_t>(topic.partitions.size());
  const uint32_t turn = next_keyless_.fetch_add(1, std::memory_order_relaxed);
  return PlaceByKey(records, static_cast<int32_t>(partition_count),
                    static_cast<int32_t>(turn % partition_count));
}

Placement PlaceByKey(const EncodedRecords& records, int32_t partition_count,
                     int32_t keyless_partition) {
  if (partition_count == 1) return {{0, records, {}}};
  const std::string_view entries = records.entries.bytes;
  std::vector<Share> shares;
  std::vector<size_t> share_of_record;
  share_of_record.reserve(records.count);
  absl::flat_hash_map<int32_t, size_t> share_of_partition;
  EntryReader reader(entries);
  size_t begin = 0;
  for (std::string_view record; reader.Next(&record); begin = reader.position()) {
    const int32_t partition = PartitionOf(record, partition_count, keyless_partition);
    const auto [it, first] = share_of_partition.try_emplace(partition, shares.size());
    if (first) shares.push_back({.partition = partition});
    Share& share = shares[it->second];
    share.bytes += reader.position() - begin;
    share.record_indexes.push_back(static_cast<int32_t>(share_of_record.size()));
    share_of_record.push_back(it->second);
  }
  if (shares.size() == 1) return {{shares.front().partition, records, {}}};
  return Scatter(entries, share_of_record, std::move(shares));
}

void AddAppends(const storage::Topic& topic, Placement& placement,
                std::optional<storage::Offset> expected_next_offset, storage::WriteSet& set) {
  for (PlacedRecords& placed : placement) {
    set.appends.push_back({.partition = topic.partitions[placed.partition],
                           .records = std::move(placed.records),
                           .expected_next_offset = expected_next_offset});
  }
}

PlacedRanges NameRanges(absl::Span<const storage::AppendedRange> ranges, Placement placement) {
  PlacedRanges named;
  for (size_t i = 0; i < ranges.size() && i < placement.size(); ++i) {
    named.push_back({.partition = placement[i].partition,
                     .base_offset = ranges[i].base_offset,
                     .record_count = ranges[i].record_count,
                     .record_indexes = std::move(placement[i].record_indexes)});
  }
  return named;
}

std::string EncodePlacement(const Placement& placement) {
  std::string out;
  AppendPlacement(out, placement);
  return out;
}

absl::StatusOr<Placement> DecodePlacement(std::string_view bytes) {
  if (IsOfTransaction(bytes)) return StoredBy("Transact");
  VarintReader in(bytes);
  Placement placement;
  while (!in.done()) {
    if (!ReadPlaced(in, &placement.emplace_back())) return Damaged();
  }
  return placement;
}

// The mark, then each placement behind the number of its partitions.
std::string EncodePlacements(absl::Span<const Placement> placements) {
  std::string out;
  AppendVarint(out, kTransactionMark);
  for (const Placement& placement : placements) {
    AppendVarint(out, placement.size());
    AppendPlacement(out, placement);
  }
  return out;
}

absl::StatusOr<std::vector<Placement>> DecodePlacements(std::string_view bytes) {
  if (!IsOfTransaction(bytes)) return StoredBy("Produce");
  VarintReader in(bytes);
  uint64_t number;
  in.Next(&number);
  std::vector<Placement> placements;
  while (!in.done()) {
    if (!in.Next(&number)) return Damaged();
    Placement& placement = placements.emplace_back();
    for (; number > 0; --number) {
      if (!ReadPlaced(in, &placement.emplace_back())) return Damaged();
    }
  }
  return placements;
}

}  // namespace millrace::hub
