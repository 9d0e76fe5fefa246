#include "storage/rocksdb/drop_filter.h"

#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

constexpr Offset kNothing{0};
constexpr Offset kEverything{std::numeric_limits<int64_t>::max()};

// For one compaction, which sees keys in their order.
class DropFilter : public rocksdb::CompactionFilter {
 public:
  explicit DropFilter(std::shared_ptr<const DropBounds> bounds) : bounds_(std::move(bounds)) {}

  Decision FilterV2(int, const rocksdb::Slice& key, ValueType, const rocksdb::Slice&, std::string*,
                    std::string* skip_until) const override {
    return Decide(key, skip_until);
  }
  Decision FilterBlobByKey(int, const rocksdb::Slice& key, std::string*,
                           std::string* skip_until) const override {
    return Decide(key, skip_until);
  }
  const char* Name() const override { return "millrace.DropFilter"; }

 private:
  Decision Decide(const rocksdb::Slice& key, std::string* skip_until) const {
    PartitionId partition;
    Offset base;
    if (!rows::DecodeRecordKey({key.data(), key.size()}, &partition, &base)) return Decision::kKeep;
    if (partition != partition_) {
      partition_ = partition;
      bound_ = bounds_->BoundOf(partition);
    }
    if (base >= bound_) return Decision::kKeep;
    const rows::RecordKey next = rows::EncodeRecordKey(partition, bound_);
    skip_until->assign(next.data(), next.size());
    return Decision::kRemoveAndSkipUntil;
  }

  const std::shared_ptr<const DropBounds> bounds_;
  // The bound looked up last.
  mutable std::optional<PartitionId> partition_;
  mutable Offset bound_;
};

}  // namespace

Offset DropBounds::BoundOf(PartitionId partition) const {
  const std::shared_lock lock(mutex_);
  if (!armed_) return kNothing;
  const auto found = bounds_.find(partition);
  return found == bounds_.end() ? kEverything : found->second;
}

std::unique_ptr<rocksdb::CompactionFilter> DropFilterFactory::CreateCompactionFilter(
    const rocksdb::CompactionFilter::Context&) {
  return std::make_unique<DropFilter>(bounds_);
}

}  // namespace millrace::storage
