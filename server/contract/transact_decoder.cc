#include "server/contract/transact_decoder.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/v1/event_hub.pb.h"
#include "server/contract/conversions.h"
#include "server/contract/produce_decoder.h"
#include "storage/batch/shared_slice.h"
#include "storage/batch/wire.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using storage::SliceBuffer;
using storage::wire::WireType;
using v1::TransactRequest;
namespace wire = storage::wire;

absl::Status Malformed() {
  return storage::Error(storage::Reason::kMalformedRequest,
                        "these bytes are not a TransactRequest");
}

// Walks the fields of the TransactRequest that `buffer` holds.
class Decoder {
 public:
  Decoder(const SliceBuffer& buffer, const hub::Limits& limits)
      : buffer_(buffer), limits_(limits) {}

  absl::StatusOr<hub::TransactCommand> Decode() && {
    const std::string_view request = buffer_.Share(0, buffer_.size()).bytes;
    if (static_cast<int64_t>(request.size()) > limits_.max_request_bytes) {
      return BatchTooLarge("bytes", limits_.max_request_bytes,
                           static_cast<int64_t>(request.size()));
    }
    const char* const end = request.data() + request.size();
    for (const char* p = request.data(); p != end;) {
      wire::Tag tag;
      p = wire::ReadTag(p, end, &tag);
      if (p != nullptr) p = Take(tag, p, end);
      if (p == nullptr) return Malformed();
      if (!error_.ok()) return error_;
    }
    return std::move(*this).Finish();
  }

 private:
  // Answers the position after the field, or null for malformed bytes.
  const char* Take(wire::Tag tag, const char* p, const char* end) {
    std::string_view bytes;
    switch (tag.field) {
      case TransactRequest::kAppendsFieldNumber:
      case TransactRequest::kCommitFieldNumber:
      case TransactRequest::kSequenceFieldNumber:
        if (tag.type != WireType::kLengthDelimited) return nullptr;
        p = wire::ReadBytes(p, end, &bytes);
        if (p != nullptr) TakeMessage(tag.field, bytes);
        return p;
      case TransactRequest::kDurabilityFieldNumber:
        return tag.type == WireType::kVarint ? wire::ReadVarint(p, end, &durability_) : nullptr;
      default:
        return wire::SkipValue(p, end, tag.type);
    }
  }

  // A message that comes in several parts is all of them one after another.
  void TakeMessage(uint32_t field, std::string_view bytes) {
    if (field == TransactRequest::kAppendsFieldNumber) return TakeAppend(bytes);
    auto& message = field == TransactRequest::kCommitFieldNumber ? commit_ : sequence_;
    if (!message) message.emplace();
    *message += bytes;
  }

  void TakeAppend(std::string_view bytes) {
    auto append = DecodeProduceRequest(buffer_, bytes, record_count_, limits_);
    if (!append.ok()) {
      error_ = hub::OfAppend(command_.appends.size(), append.status());
      return;
    }
    record_count_ += append->records.count;
    command_.appends.push_back(*std::move(append));
  }

  absl::StatusOr<hub::TransactCommand> Finish() && {
    const auto durability = FromDurability(static_cast<v1::Durability>(durability_));
    if (!durability.ok()) return durability.status();
    command_.durability = *durability;
    if (sequence_) {
      v1::ProducerSequence sequence;
      if (!sequence.ParseFromString(*sequence_)) return Malformed();
      auto stamp = FromSequence(sequence);
      if (!stamp.ok()) return stamp.status();
      command_.producer = *std::move(stamp);
    }
    if (commit_) {
      v1::GroupCommit commit;
      if (!commit.ParseFromString(*commit_)) return Malformed();
      SetCommit(commit);
    }
    return std::move(command_);
  }

  void SetCommit(const v1::GroupCommit& commit) {
    hub::CommitCommand& command = command_.commit.emplace();
    command.group = commit.group();
    command.member_id = commit.member_id();
    command.member_epoch = commit.member_epoch();
    for (const v1::OffsetCommit& each : commit.offsets()) {
      command.entries.push_back(FromOffsetCommit(each));
    }
  }

  const SliceBuffer& buffer_;
  const hub::Limits& limits_;

  hub::TransactCommand command_;
  int32_t record_count_ = 0;
  std::optional<std::string> commit_;
  std::optional<std::string> sequence_;
  uint64_t durability_ = 0;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<hub::TransactCommand> DecodeTransactRequest(const SliceBuffer& buffer,
                                                           const hub::Limits& limits) {
  return Decoder(buffer, limits).Decode();
}

}  // namespace millrace::server
