#include "storage/error.h"

#include <cstddef>
#include <utility>

#include "absl/strings/cord.h"

namespace millrace::storage {
namespace {

// The payload is the reason's number, then each name and value, every one followed by a zero byte.
constexpr char kPayloadType[] = "millrace.storage/error";
constexpr char kEnd = '\0';

// Takes the text up to the next kEnd off the front of `rest`.
std::string TakeField(std::string_view& rest) {
  const size_t end = rest.find(kEnd);
  std::string field(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return field;
}

}  // namespace

const std::vector<ReasonTraits>& AllReasons() {
  static const auto& table = *new std::vector<ReasonTraits>{
#define MILLRACE_REASON_TRAITS(enumerator, word, code, retry_ms) \
  {Reason::enumerator, word, absl::StatusCode::code,             \
   (retry_ms) < 0 ? std::optional<absl::Duration>() : absl::Milliseconds(retry_ms)},
      MILLRACE_REASONS(MILLRACE_REASON_TRAITS)
#undef MILLRACE_REASON_TRAITS
  };
  return table;
}

const ReasonTraits& TraitsOf(Reason reason) { return AllReasons()[static_cast<size_t>(reason)]; }

absl::Status Error(Reason reason, std::string_view message, const ErrorMetadata& metadata) {
  absl::Status status(TraitsOf(reason).code, {message.data(), message.size()});
  std::string payload = std::to_string(static_cast<int>(reason)) + kEnd;
  for (const auto& [name, value] : metadata) payload += name + kEnd + value + kEnd;
  status.SetPayload(kPayloadType, absl::Cord(std::move(payload)));
  return status;
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadType);
  if (!payload) return std::nullopt;
  const std::string bytes(*payload);
  std::string_view rest = bytes;
  return static_cast<Reason>(std::stoi(TakeField(rest)));
}

ErrorMetadata MetadataOf(const absl::Status& status) {
  ErrorMetadata metadata;
  const auto payload = status.GetPayload(kPayloadType);
  if (!payload) return metadata;
  const std::string bytes(*payload);
  std::string_view rest = bytes;
  TakeField(rest);
  while (!rest.empty()) {
    std::string name = TakeField(rest);
    metadata[std::move(name)] = TakeField(rest);
  }
  return metadata;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason) return std::nullopt;
  const ErrorMetadata metadata = MetadataOf(status);
  const auto known = metadata.find("retry_after_ms");
  if (known == metadata.end()) return TraitsOf(*reason).retry_after;
  return absl::Milliseconds(std::stoll(known->second));
}

}  // namespace millrace::storage
