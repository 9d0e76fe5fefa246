#include "server/grpc/status.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <string>
#include <string_view>

#include "server/contract/conversions.h"
#include "server/contract/request_error.h"

namespace millrace::server {
namespace {

using google::protobuf::internal::WireFormatLite;

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
std::string ErrorInfo(const WireError& facts) {
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
std::string Details(const WireError& facts) {
  MessageWriter status;
  status.Number(1, static_cast<uint64_t>(facts.code)).Bytes(2, facts.message);
  status.Bytes(3, Any("ErrorInfo", ErrorInfo(facts)));
  if (facts.retry_after) {  // google.rpc.RetryInfo { Duration retry_delay = 1; }
    const std::string delay = ToDuration(*facts.retry_after).SerializeAsString();
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
  const WireError facts = WireErrorOf(status);
  return {static_cast<grpc::StatusCode>(facts.code), facts.message, Details(facts)};
}

}  // namespace millrace::server
