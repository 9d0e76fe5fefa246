#include "storage/rocksdb/offset_store.h"

#include <memory>
#include <utility>

#include "storage/error.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {

absl::Status OffsetStore::Load(Database& database) {
  const std::unique_ptr<rocksdb::Iterator> it(
      database.db().NewIterator(rocksdb::ReadOptions(), database.offsets()));
  const std::lock_guard lock(mutex_);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    std::string_view group;
    CommittedOffset offset;
    if (!rows::DecodeOffsetKey(ToView(it->key()), &group, &offset.partition) ||
        !rows::DecodeOffset(ToView(it->value()), &offset)) {
      return absl::DataLossError("the row of a committed offset is damaged");
    }
    groups_[std::string(group)][offset.partition] = std::move(offset);
  }
  return ToStatus(it->status(), "cannot read committed offsets");
}

std::vector<CommittedOffset> OffsetStore::Committed(std::string_view group) const {
  const std::lock_guard lock(mutex_);
  std::vector<CommittedOffset> offsets;
  const auto found = groups_.find(group);
  if (found == groups_.end()) return offsets;
  for (const auto& [partition, offset] : found->second) offsets.push_back(offset);
  return offsets;
}

std::vector<std::string> OffsetStore::Groups() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, offsets] : groups_) names.push_back(name);
  return names;
}

std::optional<StoredCommit> OffsetStore::Find(std::string_view group, PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  const auto offsets = groups_.find(group);
  if (offsets == groups_.end()) return std::nullopt;
  const auto found = offsets->second.find(partition);
  if (found == offsets->second.end()) return std::nullopt;
  return StoredCommit{found->second.next_offset, found->second.position_epoch};
}

void OffsetStore::Put(std::string_view group, CommittedOffset offset) {
  const std::lock_guard lock(mutex_);
  auto found = groups_.find(group);
  if (found == groups_.end()) found = groups_.emplace(std::string(group), Offsets()).first;
  const PartitionId partition = offset.partition;
  found->second[partition] = std::move(offset);
}

void OffsetStore::DropGroup(std::string_view group) {
  const std::lock_guard lock(mutex_);
  if (const auto found = groups_.find(group); found != groups_.end()) groups_.erase(found);
}

void OffsetStore::DropPartition(PartitionId partition) {
  const std::lock_guard lock(mutex_);
  for (auto group = groups_.begin(); group != groups_.end();) {
    group->second.erase(partition);
    group = group->second.empty() ? groups_.erase(group) : std::next(group);
  }
}

std::vector<std::string> OffsetStore::KeysOf(PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [group, offsets] : groups_) {
    if (offsets.contains(partition)) keys.push_back(rows::OffsetKey(group, partition));
  }
  return keys;
}

}  // namespace millrace::storage
