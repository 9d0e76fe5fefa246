#include "storage/rocksdb/rows.h"

#include <cstddef>
#include <utility>

#include "absl/time/time.h"

namespace millrace::storage::rows {
namespace {

// Big-endian, for keys.
template <typename T>
void StoreKey(char* out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <typename T>
T LoadKey(const char* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = value << 8 | static_cast<uint8_t>(in[i]);
  return value;
}

// Little-endian, for values.
char* Store(char* out, uint64_t value) {
  for (size_t i = 0; i < sizeof(value); ++i) out[i] = static_cast<char>(value >> (8 * i));
  return out + sizeof(value);
}

class Encoder {
 public:
  Encoder& Number(int64_t value) {
    char bytes[8];
    Store(bytes, static_cast<uint64_t>(value));
    out_.append(bytes, sizeof(bytes));
    return *this;
  }
  Encoder& Text(std::string_view text) {
    out_.append(text);
    return *this;
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads numbers until they run out; ok() tells whether they did not.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  int64_t Number() {
    if (in_.size() < 8) {
      ok_ = false;
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) {
      value |= uint64_t{static_cast<uint8_t>(in_[i])} << (8 * i);
    }
    in_.remove_prefix(8);
    return static_cast<int64_t>(value);
  }
  std::string_view Rest() { return std::exchange(in_, {}); }
  size_t left() const { return in_.size(); }

  bool ok() const { return ok_; }
  bool done() const { return ok_ && in_.empty(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

std::string PartitionKey(char kind, PartitionId partition) {
  std::string key(5, kind);
  StoreKey(key.data() + 1, partition.value());
  return key;
}

std::string PlaceKey(char kind, PartitionId partition, Offset offset) {
  std::string key(13, kind);
  StoreKey(key.data() + 1, partition.value());
  StoreKey(key.data() + 5, static_cast<uint64_t>(offset.value()));
  return key;
}

std::string NamedKey(std::string_view name, size_t room) {
  std::string key;
  key.reserve(2 + name.size() + room);
  key.resize(2);
  StoreKey(key.data(), static_cast<uint16_t>(name.size()));
  key += name;
  return key;
}

// Splits NamedKey from what follows.
bool SplitNamedKey(std::string_view key, std::string_view* name, std::string_view* rest) {
  if (key.size() < 2) return false;
  const size_t length = LoadKey<uint16_t>(key.data());
  if (key.size() < 2 + length) return false;
  *name = key.substr(2, length);
  *rest = key.substr(2 + length);
  return true;
}

void AppendU32(std::string& key, uint32_t value) {
  char bytes[4];
  StoreKey(bytes, value);
  key.append(bytes, sizeof(bytes));
}

constexpr int64_t kAbsent = -1;  // Of an optional number that is positive where present.

}  // namespace

// ---- Keys

RecordKey EncodeRecordKey(PartitionId partition, Offset base_offset) {
  RecordKey key;
  StoreKey(key.data(), partition.value());
  StoreKey(key.data() + 4, static_cast<uint64_t>(base_offset.value()));
  return key;
}

bool DecodeRecordKey(std::string_view key, PartitionId* partition, Offset* base_offset) {
  if (key.size() != kRecordKeyBytes) return false;
  *partition = PartitionId(LoadKey<uint32_t>(key.data()));
  *base_offset = Offset(static_cast<int64_t>(LoadKey<uint64_t>(key.data() + 4)));
  return true;
}

std::string FieldKey(std::string_view field) {
  return Encoder().Text({&kFieldKind, 1}).Text(field).Take();
}
std::string TopicKey(std::string_view topic) {
  return Encoder().Text({&kTopicKind, 1}).Text(topic).Take();
}
std::string HeadKey(PartitionId partition) { return PartitionKey(kHeadKind, partition); }
std::string EpochKey(PartitionId partition, Offset first_offset) {
  return PlaceKey(kEpochKind, partition, first_offset);
}
std::string MarkKey(PartitionId partition, Offset offset) {
  return PlaceKey(kMarkKind, partition, offset);
}
std::string ReclaimKey(PartitionId partition) { return PartitionKey(kReclaimKind, partition); }
std::string GroupKey(std::string_view group) {
  return Encoder().Text({&kGroupKind, 1}).Text(group).Take();
}

bool DecodePartitionKey(std::string_view key, PartitionId* partition) {
  if (key.size() != 5) return false;
  *partition = PartitionId(LoadKey<uint32_t>(key.data() + 1));
  return true;
}

bool DecodePlaceKey(std::string_view key, PartitionId* partition, Offset* offset) {
  if (key.size() != 13) return false;
  *partition = PartitionId(LoadKey<uint32_t>(key.data() + 1));
  *offset = Offset(static_cast<int64_t>(LoadKey<uint64_t>(key.data() + 5)));
  return true;
}

std::string OffsetKey(std::string_view group, PartitionId partition) {
  std::string key = NamedKey(group, 4);
  AppendU32(key, partition.value());
  return key;
}

bool DecodeOffsetKey(std::string_view key, std::string_view* group, PartitionId* partition) {
  std::string_view rest;
  if (!SplitNamedKey(key, group, &rest) || rest.size() != 4) return false;
  *partition = PartitionId(LoadKey<uint32_t>(rest.data()));
  return true;
}

std::string ProducerKey(std::string_view producer) { return NamedKey(producer, 0); }

std::string OutcomeKey(std::string_view producer, uint32_t slot) {
  std::string key = NamedKey(producer, 4);
  AppendU32(key, slot);
  return key;
}

bool DecodeProducerKey(std::string_view key, std::string_view* producer,
                       std::optional<uint32_t>* slot) {
  std::string_view rest;
  if (!SplitNamedKey(key, producer, &rest)) return false;
  slot->reset();
  if (rest.empty()) return true;
  if (rest.size() != 4) return false;
  *slot = LoadKey<uint32_t>(rest.data());
  return true;
}

// ---- Values

std::string EncodeNumber(int64_t number) { return Encoder().Number(number).Take(); }

bool DecodeNumber(std::string_view value, int64_t* number) {
  Decoder in(value);
  *number = in.Number();
  return in.done();
}

std::array<char, kHeadRowBytes> EncodeHead(const HeadRow& head) {
  std::array<char, kHeadRowBytes> out;
  char* p = out.data();
  for (const int64_t number : {head.earliest.value(), head.first_batch.value(), head.end.value(),
                               head.last_append_time, head.bytes}) {
    p = Store(p, static_cast<uint64_t>(number));
  }
  return out;
}

bool DecodeHead(std::string_view value, HeadRow* head) {
  Decoder in(value);
  head->earliest = Offset(in.Number());
  head->first_batch = Offset(in.Number());
  head->end = Offset(in.Number());
  head->last_append_time = in.Number();
  head->bytes = in.Number();
  return in.done();
}

std::string EncodeMark(const PartitionMark& mark) {
  return Encoder().Number(mark.time_before).Number(mark.bytes_before).Take();
}

bool DecodeMark(std::string_view value, PartitionMark* mark) {
  Decoder in(value);
  mark->time_before = in.Number();
  mark->bytes_before = in.Number();
  return in.done();
}

std::string EncodeReclaim(const ReclaimRow& row) {
  return Encoder().Number(row.before.value()).Number(row.bytes).Take();
}

bool DecodeReclaim(std::string_view value, ReclaimRow* row) {
  Decoder in(value);
  row->before = Offset(in.Number());
  row->bytes = in.Number();
  return in.done();
}

std::string EncodeTopic(const TopicRow& row) {
  const RetentionPolicy& retention = row.topic.retention;
  Encoder out;
  out.Number(absl::ToUnixNanos(row.topic.create_time));
  out.Number(retention.max_age ? absl::ToInt64Nanoseconds(*retention.max_age) : kAbsent);
  out.Number(retention.max_partition_bytes.value_or(kAbsent));
  for (size_t i = 0; i < row.topic.partitions.size(); ++i) {
    out.Number(row.topic.partitions[i].value()).Number(row.first_epochs[i].value());
  }
  return out.Take();
}

bool DecodeTopic(std::string_view value, TopicRow* row) {
  Decoder in(value);
  row->topic.create_time = absl::FromUnixNanos(in.Number());
  if (const int64_t age = in.Number(); age != kAbsent) {
    row->topic.retention.max_age = absl::Nanoseconds(age);
  }
  if (const int64_t bytes = in.Number(); bytes != kAbsent) {
    row->topic.retention.max_partition_bytes = bytes;
  }
  while (in.ok() && in.left() > 0) {
    row->topic.partitions.push_back(PartitionId(static_cast<uint32_t>(in.Number())));
    row->first_epochs.push_back(LogEpoch(in.Number()));
  }
  return in.done();
}

std::string EncodeOffset(const CommittedOffset& offset) {
  return Encoder()
      .Number(offset.next_offset.value())
      .Number(offset.position_epoch.value())
      .Number(absl::ToUnixNanos(offset.commit_time))
      .Text(offset.metadata)
      .Take();
}

bool DecodeOffset(std::string_view value, CommittedOffset* offset) {
  Decoder in(value);
  offset->next_offset = Offset(in.Number());
  offset->position_epoch = PositionEpoch(in.Number());
  offset->commit_time = absl::FromUnixNanos(in.Number());
  offset->metadata = in.Rest();
  return in.ok();
}

std::string EncodeProducer(const ProducerRow& row) {
  return Encoder().Number(row.epoch.value()).Number(row.last_sequence).Number(row.open_time).Take();
}

bool DecodeProducer(std::string_view value, ProducerRow* row) {
  Decoder in(value);
  row->epoch = ProducerEpoch(in.Number());
  row->last_sequence = in.Number();
  row->open_time = in.Number();
  return in.done();
}

std::string EncodeOutcome(const OutcomeRow& row) {
  Encoder out;
  out.Number(row.sequence).Number(row.time);
  out.Number(static_cast<int64_t>(row.outcome.ranges.size()));
  for (const AppendedRange& range : row.outcome.ranges) {
    out.Number(range.partition.value()).Number(range.base_offset.value());
    out.Number(range.record_count);
  }
  return out.Text(row.outcome.annotation).Take();
}

bool DecodeOutcome(std::string_view value, OutcomeRow* row) {
  Decoder in(value);
  row->sequence = in.Number();
  row->time = in.Number();
  for (int64_t left = in.Number(); in.ok() && left > 0; --left) {
    AppendedRange range;
    range.partition = PartitionId(static_cast<uint32_t>(in.Number()));
    range.base_offset = Offset(in.Number());
    range.record_count = static_cast<int32_t>(in.Number());
    row->outcome.ranges.push_back(range);
  }
  row->outcome.annotation = in.Rest();
  return in.ok();
}

}  // namespace millrace::storage::rows
