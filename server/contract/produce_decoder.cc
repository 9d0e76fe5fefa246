#include "server/contract/produce_decoder.h"

#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "millrace/v1/event_hub.pb.h"
#include "server/contract/conversions.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_walk.h"
#include "storage/batch/shared_slice.h"
#include "storage/batch/wire.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using storage::Error;
using storage::Reason;
using storage::SliceBuffer;
using storage::wire::WireType;
using v1::ProduceRequest;
namespace wire = storage::wire;

static_assert(ProduceRequest::kRecordsFieldNumber == storage::kRecordsField);

absl::Status Malformed() {
  return Error(Reason::kMalformedRequest, "these bytes are not a ProduceRequest");
}

// Walks the fields of a ProduceRequest that lies in `buffer`, where so many records stand before
// it.
class Decoder {
 public:
  Decoder(const SliceBuffer& buffer, std::string_view request, int32_t records_before,
          const hub::Limits& limits)
      : buffer_(buffer),
        begin_(request.data()),
        end_(begin_ + request.size()),
        records_before_(records_before),
        limits_(limits),
        record_limits_{.max_record_bytes = static_cast<size_t>(limits.max_record_bytes),
                       .max_key_bytes = static_cast<size_t>(limits.max_key_bytes),
                       .max_headers = limits.max_record_headers} {}

  absl::StatusOr<hub::ProduceCommand> Decode() {
    if (end_ - begin_ > limits_.max_request_bytes) {
      return BatchTooLarge("bytes", limits_.max_request_bytes, end_ - begin_);
    }
    for (const char* p = begin_; p != end_;) {
      const char* const field = p;
      uint32_t tag;
      p = wire::ReadTagValue(p, end_, &tag);
      if (p == nullptr) return Malformed();
      p = tag == storage::kRecordsTag ? TakeRecord(field, p) : TakeOther(tag, p);
      if (p == nullptr) return error_.ok() ? Malformed() : error_;
    }
    return Finish();
  }

 private:
  // Each Take… answers the position after the field, or null, with the reason in error_ where it is
  // more than malformed bytes.
  const char* TakeRecord(const char* entry, const char* p) {
    std::string_view record;
    p = wire::ReadBytes(p, end_, &record);
    if (p == nullptr) return nullptr;
    storage::RecordFacts facts;
    const storage::WalkError found = storage::WalkRecord(record, record_limits_, &facts);
    if (found != storage::WalkError::kNone) {
      error_ = RecordError(found, record.size());
      return nullptr;
    }
    if (records_before_ + ++count_ > limits_.max_request_records) {
      error_ = BatchTooLarge("records", limits_.max_request_records, records_before_ + count_);
      return nullptr;
    }
    if (runs_.empty() || runs_.back().data() + runs_.back().size() != entry) {
      runs_.emplace_back(entry, 0);
    }
    runs_.back() = {runs_.back().data(), static_cast<size_t>(p - runs_.back().data())};
    return p;
  }

  absl::Status RecordError(storage::WalkError found, size_t record_bytes) const {
    const std::string_view why = storage::DescriptionOf(found);
    return Error(
        storage::IsLimitError(found) ? Reason::kRecordTooLarge : Reason::kMalformedRecord,
        absl::StrCat("record ", count_, " of the request: ", std::string(why)),
        {{"record_index", absl::StrCat(count_)}, {"record_bytes", absl::StrCat(record_bytes)}});
  }

  const char* TakeOther(uint32_t tag_value, const char* p) {
    wire::Tag tag;
    if (!wire::SplitTag(tag_value, &tag)) return nullptr;
    switch (tag.field) {
      case ProduceRequest::kTopicFieldNumber:
        return TakeBytes(tag, p, &topic_);
      case ProduceRequest::kPartitionFieldNumber:
        return TakeVarint(tag, p, &partition_.emplace());
      case ProduceRequest::kDurabilityFieldNumber:
        return TakeVarint(tag, p, &durability_);
      case ProduceRequest::kSequenceFieldNumber:
        return TakeBytes(tag, p, &sequence_.emplace());
      case ProduceRequest::kExpectedNextOffsetFieldNumber:
        return TakeVarint(tag, p, &expected_next_offset_.emplace());
      case ProduceRequest::kRecordsFieldNumber:
        return nullptr;  // Not as bytes.
      default:
        return wire::SkipValue(p, end_, tag.type);
    }
  }

  const char* TakeBytes(wire::Tag tag, const char* p, std::string_view* bytes) const {
    return tag.type == WireType::kLengthDelimited ? wire::ReadBytes(p, end_, bytes) : nullptr;
  }

  const char* TakeVarint(wire::Tag tag, const char* p, uint64_t* value) const {
    return tag.type == WireType::kVarint ? wire::ReadVarint(p, end_, value) : nullptr;
  }

  absl::StatusOr<hub::ProduceCommand> Finish() {
    if (count_ == 0) {
      return Error(Reason::kEmptyRequest, "the request has no records", {{"field", "records"}});
    }
    hub::ProduceCommand command{.topic = std::string(topic_), .records = Records()};
    if (partition_) command.partition = static_cast<int32_t>(*partition_);
    if (expected_next_offset_) {
      if (!partition_) {
        return Error(Reason::kExpectedOffsetNeedsPartition,
                     "expected_next_offset is about one partition: name it",
                     {{"field", "partition"}});
      }
      command.expected_next_offset = storage::Offset(static_cast<int64_t>(*expected_next_offset_));
    }
    if (absl::Status status = SetDurability(command); !status.ok()) return status;
    if (absl::Status status = SetProducer(command); !status.ok()) return status;
    return command;
  }

  // The entries as one slice: shared where they lie in one run, as every encoder writes them.
  storage::EncodedRecords Records() const {
    if (runs_.size() == 1) {
      const size_t offset = runs_[0].data() - buffer_.Share(0, 0).bytes.data();
      return {buffer_.Share(offset, runs_[0].size()), count_};
    }
    size_t size = 0;
    for (std::string_view run : runs_) size += run.size();
    SliceBuffer gathered(size);
    char* out = gathered.data();
    for (std::string_view run : runs_) {
      std::memcpy(out, run.data(), run.size());
      out += run.size();
    }
    return {gathered.Share(0, size), count_};
  }

  absl::Status SetDurability(hub::ProduceCommand& command) const {
    switch (durability_) {
      case v1::DURABILITY_UNSPECIFIED:
        break;
      case v1::DURABILITY_BUFFERED:
        command.durability = storage::Durability::kBuffered;
        break;
      case v1::DURABILITY_SYNCED:
        command.durability = storage::Durability::kSynced;
        break;
      default:
        return Error(Reason::kMalformedRequest,
                     absl::StrCat("there is no durability ", durability_),
                     {{"field", "durability"}});
    }
    return absl::OkStatus();
  }

  absl::Status SetProducer(hub::ProduceCommand& command) const {
    if (!sequence_) return absl::OkStatus();
    v1::ProducerSequence sequence;
    if (!sequence.ParseFromArray(sequence_->data(), static_cast<int>(sequence_->size()))) {
      return Malformed();
    }
    auto stamp = FromSequence(sequence);
    if (!stamp.ok()) return stamp.status();
    command.producer = *std::move(stamp);
    return absl::OkStatus();
  }

  const SliceBuffer& buffer_;
  const char* const begin_;
  const char* const end_;
  const int32_t records_before_;
  const hub::Limits& limits_;
  const storage::RecordLimits record_limits_;

  std::string_view topic_;
  std::optional<uint64_t> partition_;
  uint64_t durability_ = 0;
  std::optional<std::string_view> sequence_;
  std::optional<uint64_t> expected_next_offset_;
  std::vector<std::string_view> runs_;  // Of entries that follow one another without a gap.
  int32_t count_ = 0;
  absl::Status error_;
};

// The one `request` of a ProduceStreamRequest; absent for anything else.
std::optional<std::string_view> Unwrap(std::string_view bytes) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  std::optional<std::string_view> request;
  while (p != end) {
    wire::Tag tag;
    p = wire::ReadTag(p, end, &tag);
    if (p == nullptr) return std::nullopt;
    if (tag.field != v1::ProduceStreamRequest::kRequestFieldNumber) {
      p = wire::SkipValue(p, end, tag.type);
    } else if (tag.type == WireType::kLengthDelimited && !request) {
      p = wire::ReadBytes(p, end, &request.emplace());
    } else {
      return std::nullopt;
    }
    if (p == nullptr) return std::nullopt;
  }
  return request ? request : bytes.substr(bytes.size());
}

}  // namespace

absl::Status BatchTooLarge(std::string_view unit, int64_t limit, int64_t found) {
  const std::string shown(unit);
  return Error(Reason::kBatchTooLarge,
               absl::StrCat("a request may have ", limit, " ", shown, " here, not ", found),
               {{"limit", absl::StrCat(limit)}, {"unit", shown}});
}

absl::StatusOr<hub::ProduceCommand> DecodeProduceRequest(const SliceBuffer& buffer,
                                                         std::string_view request,
                                                         int32_t records_before,
                                                         const hub::Limits& limits) {
  return Decoder(buffer, request, records_before, limits).Decode();
}

absl::StatusOr<hub::ProduceCommand> DecodeProduceRequest(const SliceBuffer& buffer,
                                                         const hub::Limits& limits) {
  return DecodeProduceRequest(buffer, buffer.Share(0, buffer.size()).bytes, 0, limits);
}

absl::StatusOr<hub::ProduceCommand> DecodeProduceStreamRequest(const SliceBuffer& buffer,
                                                               const hub::Limits& limits) {
  const auto request = Unwrap(buffer.Share(0, buffer.size()).bytes);
  if (!request) {
    return Error(Reason::kMalformedRequest, "these bytes are not a ProduceStreamRequest");
  }
  return DecodeProduceRequest(buffer, *request, 0, limits);
}

}  // namespace millrace::server
