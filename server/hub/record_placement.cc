#include "server/hub/record_placement.h"

#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/hub/placement.h"
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

void AppendVarint(std::string& out, uint64_t value) {
  char bytes[wire::kMaxVarintBytes];
  out.append(bytes, wire::WriteVarint(bytes, value) - bytes);
}

}  // namespace

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

// For each partition its number, how many indexes follow, and each as the distance from the one
// before.
std::string EncodePlacement(const Placement& placement) {
  std::string out;
  for (const PlacedRecords& placed : placement) {
    AppendVarint(out, placed.partition);
    AppendVarint(out, placed.record_indexes.size());
    int32_t last = 0;
    for (int32_t index : placed.record_indexes) {
      AppendVarint(out, index - last);
      last = index;
    }
  }
  return out;
}

absl::StatusOr<Placement> DecodePlacement(std::string_view bytes) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  Placement placement;
  uint64_t value;
  const auto next = [&] {
    if (p != nullptr) p = wire::ReadVarint(p, end, &value);
    return p != nullptr;
  };
  while (p != end) {
    PlacedRecords placed;
    if (!next()) break;
    placed.partition = static_cast<int32_t>(value);
    if (!next()) break;
    int32_t last = 0;
    for (uint64_t left = value; left > 0 && next(); --left) {
      last += static_cast<int32_t>(value);
      placed.record_indexes.push_back(last);
    }
    if (p == nullptr) break;
    placement.push_back(std::move(placed));
  }
  if (p == nullptr)
    return storage::Error(storage::Reason::kInternal, "a stored placement is damaged");
  return placement;
}

}  // namespace millrace::hub
