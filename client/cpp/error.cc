#include "millrace/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "client/cpp/wire.h"

namespace millrace::client {
namespace {

// The standard details, under the names by which gRPC servers send them. Their messages are read
// and written by hand: ErrorInfo {reason = 1, domain = 2, map metadata = 3}, RetryInfo {retry_delay
// = 1}.
constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr std::string_view kDomain = "millrace";

std::optional<std::string> Payload(const absl::Status& status, const char* type_url) {
  const auto payload = status.GetPayload(type_url);
  if (!payload) return std::nullopt;
  return std::string(*payload);
}

}  // namespace

std::string ReasonOf(const absl::Status& status) {
  const std::optional<std::string> info = Payload(status, kErrorInfoUrl);
  if (!info) return "";
  std::string reason;
  for (WireReader reader(*info); reader.Next();) {
    if (reader.is(1, kLengthDelimited)) reason = reader.bytes();
  }
  return reason;
}

bool HasReason(const absl::Status& status, std::string_view reason) {
  return !status.ok() && ReasonOf(status) == reason;
}

ErrorMetadata MetadataOf(const absl::Status& status) {
  ErrorMetadata metadata;
  const std::optional<std::string> info = Payload(status, kErrorInfoUrl);
  if (!info) return metadata;
  for (WireReader reader(*info); reader.Next();) {
    if (!reader.is(3, kLengthDelimited)) continue;
    std::string name, value;
    for (WireReader entry(reader.bytes()); entry.Next();) {
      if (entry.is(1, kLengthDelimited)) name = entry.bytes();
      if (entry.is(2, kLengthDelimited)) value = entry.bytes();
    }
    metadata[std::move(name)] = std::move(value);
  }
  return metadata;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const std::optional<std::string> info = Payload(status, kRetryInfoUrl);
  if (!info) return std::nullopt;
  for (WireReader reader(*info); reader.Next();) {
    if (reader.is(1, kLengthDelimited)) return DecodeDuration(reader.bytes());
  }
  return absl::ZeroDuration();
}

absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       const ErrorMetadata& metadata, std::optional<absl::Duration> retry_after) {
  absl::Status status(code, {message.data(), message.size()});
  std::string info;
  AppendBytesField(info, 1, reason);
  AppendBytesField(info, 2, kDomain);
  for (const auto& [name, value] : metadata) {
    std::string entry;
    AppendBytesField(entry, 1, name);
    AppendBytesField(entry, 2, value);
    AppendBytesField(info, 3, entry);
  }
  status.SetPayload(kErrorInfoUrl, absl::Cord(info));
  if (retry_after) {
    std::string retry;
    AppendBytesField(retry, 1, EncodeDuration(*retry_after));
    status.SetPayload(kRetryInfoUrl, absl::Cord(retry));
  }
  return status;
}

}  // namespace millrace::client
