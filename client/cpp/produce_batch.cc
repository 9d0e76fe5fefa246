#include "client/cpp/produce_batch.h"

#include <memory>
#include <utility>

#include "millrace/v1/event_hub.pb.h"

namespace millrace::client {
namespace {

// Field numbers of the contract's ProduceStreamRequest, ProduceRequest and ProducerSequence.
constexpr uint32_t kRequest = 1;
constexpr uint32_t kTopic = 1;
constexpr uint32_t kPartition = 2;
constexpr uint32_t kDurability = 4;
constexpr uint32_t kSequence = 5;
constexpr uint32_t kProducerId = 1;
constexpr uint32_t kEpoch = 2;
constexpr uint32_t kNumber = 3;

uint64_t DurabilityNumber(Durability durability) {
  switch (durability) {
    case Durability::kHubDefault:
      return 0;
    case Durability::kBuffered:
      return 1;
    case Durability::kSynced:
      return 2;
  }
  return 0;
}

std::string EncodeFieldsBeforeRecords(const ProduceBatch& batch, const RequestStamp& stamp) {
  std::string out;
  AppendBytesField(out, kTopic, batch.topic);
  if (batch.partition) {
    // A negative int32 is sent as ten bytes; the hub refuses it with PARTITION_OUT_OF_RANGE.
    AppendVarintField(out, kPartition, static_cast<uint64_t>(int64_t{*batch.partition}));
  }
  if (stamp.durability != Durability::kHubDefault) {
    AppendVarintField(out, kDurability, DurabilityNumber(stamp.durability));
  }
  if (!stamp.producer_id.empty()) {
    std::string sequence;
    AppendBytesField(sequence, kProducerId, stamp.producer_id);
    AppendVarintField(sequence, kEpoch, static_cast<uint64_t>(stamp.epoch));
    AppendVarintField(sequence, kNumber, static_cast<uint64_t>(batch.sequence));
    AppendBytesField(out, kSequence, sequence);
  }
  return out;
}

// Where each record of a batch went.
std::vector<Delivery> PlacesOf(int32_t record_count, const v1::ProduceResponse& response) {
  std::vector<Delivery> places(record_count);
  for (const v1::AppendedRange& range : response.appended()) {
    for (int32_t i = 0; i < range.record_count(); ++i) {
      const int32_t index = range.record_indexes().empty() ? i : range.record_indexes(i);
      if (index >= 0 && index < record_count) {
        places[index] = {range.partition(), range.base_offset() + i};
      }
    }
  }
  return places;
}

}  // namespace

void Seal(ProduceBatch& batch) {
  size_t size = 0;
  char* const bytes = batch.records.Release(size).release();
  batch.encoded = grpc::Slice(bytes, size, [](void* data) { delete[] static_cast<char*>(data); });
}

grpc::ByteBuffer MakeRequest(const ProduceBatch& batch, const RequestStamp& stamp) {
  const std::string fields = EncodeFieldsBeforeRecords(batch, stamp);
  const size_t request_size = fields.size() + batch.encoded.size();
  std::string head;
  head.push_back(static_cast<char>(WireTag(kRequest, kLengthDelimited)));
  char length[10];
  head.append(length, WriteVarint(length, request_size) - length);
  head.append(fields);
  const grpc::Slice slices[] = {grpc::Slice(head), batch.encoded};
  return grpc::ByteBuffer(slices, 2);
}

size_t RequestOverheadBytes(size_t topic_bytes) {
  // Tags and lengths, a partition, a durability, a producer's id, epoch and number.
  return topic_bytes + 249 + 80;
}

void Deliver(ProduceBatch& batch, const absl::StatusOr<v1::ProduceResponse>& result) {
  if (batch.callbacks.empty()) return;
  std::vector<Delivery> places;
  if (result.ok()) places = PlacesOf(batch.record_count, *result);
  for (auto& [index, callback] : batch.callbacks) {
    if (result.ok()) {
      std::move(callback)(places[index]);
    } else {
      std::move(callback)(result.status());
    }
  }
  batch.callbacks.clear();
}

}  // namespace millrace::client
