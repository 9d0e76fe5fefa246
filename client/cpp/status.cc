#include "client/cpp/status.h"

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "client/cpp/wire.h"
#include "millrace/error.h"
#include "millrace/v1/error.pb.h"

namespace millrace::client {

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  // google.rpc.Status {code = 1, message = 2, repeated google.protobuf.Any details = 3}.
  const std::string details = status.error_details();
  for (WireReader reader(details); reader.Next();) {
    if (!reader.is(3, kLengthDelimited)) continue;
    std::string_view type_url, value;
    for (WireReader any(reader.bytes()); any.Next();) {
      if (any.is(1, kLengthDelimited)) type_url = any.bytes();
      if (any.is(2, kLengthDelimited)) value = any.bytes();
    }
    result.SetPayload({type_url.data(), type_url.size()},
                      absl::Cord(absl::string_view(value.data(), value.size())));
  }
  return result;
}

absl::Status FromRequestError(const v1::RequestError& error) {
  std::optional<absl::Duration> retry_after;
  if (error.has_retry_after()) {
    retry_after = absl::Seconds(error.retry_after().seconds()) +
                  absl::Nanoseconds(error.retry_after().nanos());
  }
  const auto code =
      error.code() == 0 ? absl::StatusCode::kUnknown : static_cast<absl::StatusCode>(error.code());
  return MakeError(code, error.reason(), error.message(),
                   {error.metadata().begin(), error.metadata().end()}, retry_after);
}

bool IsTransient(const absl::Status& status) {
  if (status.ok()) return false;
  if (RetryAfterOf(status)) return true;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      // What gRPC makes of a connection that ends in the middle of an answer.
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::client
