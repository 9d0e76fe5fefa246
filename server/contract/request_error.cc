#include "server/contract/request_error.h"

#include "server/contract/conversions.h"

namespace millrace::server {

WireError WireErrorOf(const absl::Status& error) {
  const std::optional<storage::Reason> reason = storage::ReasonOf(error);
  if (!reason) {
    const bool cancelled = error.code() == absl::StatusCode::kCancelled;
    return {.code = error.code(),
            .reason = cancelled ? "CANCELLED" : "INTERNAL",
            .message = cancelled ? "the call was cancelled" : "the hub met an error of its own"};
  }
  const storage::ReasonTraits& traits = storage::TraitsOf(*reason);
  return {.code = traits.code,
          .reason = std::string(traits.word),
          .message = std::string(error.message()),
          .metadata = storage::MetadataOf(error),
          .retry_after = storage::RetryAfterOf(error)};
}

v1::RequestError ToRequestError(const absl::Status& status) {
  v1::RequestError error;
  if (status.ok()) return error;
  const WireError facts = WireErrorOf(status);
  error.set_code(static_cast<int32_t>(facts.code));
  error.set_reason(facts.reason);
  error.set_message(facts.message);
  error.mutable_metadata()->insert(facts.metadata.begin(), facts.metadata.end());
  if (facts.retry_after) *error.mutable_retry_after() = ToDuration(*facts.retry_after);
  return error;
}

}  // namespace millrace::server
