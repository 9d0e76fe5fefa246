// Why a call failed, for a program. Every error of this library is an absl::Status whose code is
// the gRPC code, whose message is for a person, and which carries the hub's reason and facts.
//
// Safe from any thread; statuses are values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace millrace::client {

// The hub's reasons that a program is most likely to act on. The README's table lists all of them.
namespace reason {
inline constexpr std::string_view kTopicNotFound = "TOPIC_NOT_FOUND";
inline constexpr std::string_view kTopicExists = "TOPIC_EXISTS";
inline constexpr std::string_view kPartitionOutOfRange = "PARTITION_OUT_OF_RANGE";
inline constexpr std::string_view kOffsetOutOfRange = "OFFSET_OUT_OF_RANGE";
inline constexpr std::string_view kLogEpochChanged = "LOG_EPOCH_CHANGED";
inline constexpr std::string_view kInvalidName = "INVALID_NAME";
inline constexpr std::string_view kRecordTooLarge = "RECORD_TOO_LARGE";
inline constexpr std::string_view kGroupHasMembers = "GROUP_HAS_MEMBERS";
inline constexpr std::string_view kMemberFenced = "MEMBER_FENCED";
inline constexpr std::string_view kInstanceReplaced = "INSTANCE_REPLACED";
inline constexpr std::string_view kSuperseded = "SUPERSEDED";
inline constexpr std::string_view kSessionNotFound = "SESSION_NOT_FOUND";
inline constexpr std::string_view kProducerFenced = "PRODUCER_FENCED";
inline constexpr std::string_view kProducerUnknown = "PRODUCER_UNKNOWN";
inline constexpr std::string_view kSequenceGap = "SEQUENCE_GAP";
inline constexpr std::string_view kDiskFull = "DISK_FULL";
inline constexpr std::string_view kStorageFailed = "STORAGE_FAILED";
inline constexpr std::string_view kDraining = "DRAINING";
inline constexpr std::string_view kOverloaded = "OVERLOADED";
inline constexpr std::string_view kQuotaExceeded = "QUOTA_EXCEEDED";
inline constexpr std::string_view kUnsupportedByEngine = "UNSUPPORTED_BY_ENGINE";

// Reasons of this library itself.
inline constexpr std::string_view kDeliveryTimeout = "DELIVERY_TIMEOUT";  // DEADLINE_EXCEEDED.
inline constexpr std::string_view kBufferFull = "BUFFER_FULL";            // RESOURCE_EXHAUSTED.
inline constexpr std::string_view kClosed = "CLOSED";                     // FAILED_PRECONDITION.
inline constexpr std::string_view kNotAssigned = "PARTITION_NOT_ASSIGNED";
}  // namespace reason

// Facts that go with an error, by name: "topic", "expected_sequence".
using ErrorMetadata = std::map<std::string, std::string>;

// The reason, such as "TOPIC_NOT_FOUND". Empty for OK and for an error that has none (no
// connection, a deadline, a proxy in between).
std::string ReasonOf(const absl::Status& status);

bool HasReason(const absl::Status& status, std::string_view reason);

// The facts; empty where there are none.
ErrorMetadata MetadataOf(const absl::Status& status);

// When a retry of the same request may succeed. Absent: the hub does not say so.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

// An error with its reason, a sentence for a person, facts and, where it makes sense, a retry.
absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       const ErrorMetadata& metadata = {},
                       std::optional<absl::Duration> retry_after = std::nullopt);

}  // namespace millrace::client
