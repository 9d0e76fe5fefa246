#include "storage/rocksdb/replay_order.h"

#include <string_view>

namespace millrace::storage {
namespace {

constexpr size_t kSequenceBytes = 8;
constexpr size_t kCountBytes = 4;

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    number = number << 8 | static_cast<uint8_t>(bytes[i - 1]);
  }
  return number;
}

}  // namespace

SequenceRange SequencesOf(const rocksdb::WriteBatch& write) {
  const std::string_view bytes = write.Data();
  const uint64_t first = LittleEndian(bytes.substr(0, kSequenceBytes));
  return {first, first + LittleEndian(bytes.substr(kSequenceBytes, kCountBytes))};
}

bool ReplayOrder::Follows(const SequenceRange& write) {
  broken_ = broken_ || (next_ && write.first != *next_);
  if (!broken_) next_ = write.end;
  return !broken_;
}

rocksdb::WalFilter::WalProcessingOption ReplayInOrder::LogRecordFound(
    unsigned long long /*log*/,  // NOLINT(google-runtime-int)
    const std::string& /*file*/, const rocksdb::WriteBatch& write, rocksdb::WriteBatch* /*instead*/,
    bool* /*changed*/) {
  return order_.Follows(SequencesOf(write)) ? WalProcessingOption::kContinueProcessing
                                            : WalProcessingOption::kStopReplay;
}

}  // namespace millrace::storage
