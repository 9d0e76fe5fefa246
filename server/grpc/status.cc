#include "server/grpc/status.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/time_util.h>
#include <google/protobuf/wire_format_lite.h>

#include <optional>
#include <string>
#include <string_view>

#include "storage/error.h"

namespace millrace::server {
namespace {

using google::protobuf::internal::WireFormatLite;
using storage::ErrorMetadata;

// The facts of an error, as both forms tell them.
struct Facts {
  absl::StatusCode code;
  std::string reason;
  std::string message;
  ErrorMetadata metadata;
  std::optional<absl::Duration> retry_after;
};

Facts FactsOf(const absl::Status& status) {
  const std::optional<storage::Reason> reason = storage::ReasonOf(status);
  if (!reason) {
    const bool cancelled = status.code() == absl::StatusCode::kCancelled;
    return {.code = status.code(),
            .reason = cancelled ? "CANCELLED" : "INTERNAL",
            .message = cancelled ? "the call was cancelled" : "the hub met an error of its own"};
  }
  const storage::ReasonTraits& traits = storage::TraitsOf(*reason);
  return {.code = traits.code,
          .reason = std::string(traits.word),
          .message = std::string(status.message()),
          .metadata = storage::MetadataOf(status),
          .retry_after = traits.retry_after};
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(
      absl::ToInt64Nanoseconds(duration));
}

// The messages of google/rpc/status.proto and google/rpc/error_details.proto are written by hand: a
// second copy of those files would clash in a program that links both.
class MessageWriter {
 public:
  MessageWriter& Bytes(int field, std::string_view bytes) {
    Varint(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    Varint(bytes.size());
    out_ += bytes;
    return *this;
  }

  MessageWriter& Number(int field, uint64_t value) {
    Varint(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT));
    Varint(value);
    return *this;
  }

  std::string Take() { return std::move(out_); }

 private:
  void Varint(uint64_t value) {
    uint8_t bytes[10];
    const uint8_t* end =
        google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, bytes);
    out_.append(reinterpret_cast<const char*>(bytes), end - bytes);
  }

  std::string out_;
};

std::string Any(std::string_view type, std::string_view message) {
  return MessageWriter()
      .Bytes(1, "type.googleapis.com/google.rpc." + std::string(type))
      .Bytes(2, message)
      .Take();
}

// google.rpc.ErrorInfo { reason = 1; domain = 2; map<string, string> metadata = 3; }
std::string ErrorInfo(const Facts& facts) {
  MessageWriter info;
  info.Bytes(1, facts.reason).Bytes(2, "millrace");
  for (const auto& [name, value] : facts.metadata) {
    info.Bytes(3, MessageWriter().Bytes(1, name).Bytes(2, value).Take());
  }
  return info.Take();
}

// google.rpc.BadRequest { repeated FieldViolation { field = 1; description = 2; } = 1; }
std::string BadRequest(std::string_view field, std::string_view description) {
  return MessageWriter()
      .Bytes(1, MessageWriter().Bytes(1, field).Bytes(2, description).Take())
      .Take();
}

// google.rpc.Status { code = 1; message = 2; repeated Any details = 3; }
std::string Details(const Facts& facts) {
  MessageWriter status;
  status.Number(1, static_cast<uint64_t>(facts.code)).Bytes(2, facts.message);
  status.Bytes(3, Any("ErrorInfo", ErrorInfo(facts)));
  if (facts.retry_after) {  // google.rpc.RetryInfo { Duration retry_delay = 1; }
    const std::string delay = ToProto(*facts.retry_after).SerializeAsString();
    status.Bytes(3, Any("RetryInfo", MessageWriter().Bytes(1, delay).Take()));
  }
  if (const auto field = facts.metadata.find("field"); field != facts.metadata.end()) {
    status.Bytes(3, Any("BadRequest", BadRequest(field->second, facts.message)));
  }
  return status.Take();
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const Facts facts = FactsOf(status);
  return {static_cast<grpc::StatusCode>(facts.code), facts.message, Details(facts)};
}

v1::RequestError ToRequestError(const absl::Status& status) {
  v1::RequestError error;
  if (status.ok()) return error;
  Facts facts = FactsOf(status);
  error.set_code(static_cast<int32_t>(facts.code));
  error.set_reason(facts.reason);
  error.set_message(facts.message);
  error.mutable_metadata()->insert(facts.metadata.begin(), facts.metadata.end());
  if (facts.retry_after) *error.mutable_retry_after() = ToProto(*facts.retry_after);
  return error;
}

}  // namespace millrace::server
