// What can go wrong, as one table: every error that reaches a caller of Millrace has a Reason, and
// the reason decides its status code and whether a retry makes sense.
//
// An error is an absl::Status that carries its reason and facts as a payload, so that it passes
// through every layer unchanged until server/grpc or server/web puts it on the wire.
//
// Safe from any thread; statuses are values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace millrace::storage {

// One line a reason: enumerator, the word on the wire, status code, milliseconds after which a
// retry of the same request may succeed (-1: it will not help).
#define MILLRACE_REASONS(X)                                                                 \
  X(kTopicNotFound, "TOPIC_NOT_FOUND", kNotFound, -1)                                       \
  X(kTopicExists, "TOPIC_EXISTS", kAlreadyExists, -1)                                       \
  X(kPartitionOutOfRange, "PARTITION_OUT_OF_RANGE", kOutOfRange, -1)                        \
  X(kOffsetOutOfRange, "OFFSET_OUT_OF_RANGE", kOutOfRange, -1)                              \
  X(kLogEpochChanged, "LOG_EPOCH_CHANGED", kAborted, -1)                                    \
  X(kInvalidName, "INVALID_NAME", kInvalidArgument, -1)                                     \
  X(kInvalidConfig, "INVALID_CONFIG", kInvalidArgument, -1)                                 \
  X(kInvalidDirectory, "INVALID_DIRECTORY", kInvalidArgument, -1)                           \
  X(kInvalidPage, "INVALID_PAGE", kInvalidArgument, -1)                                     \
  X(kInvalidSequence, "INVALID_SEQUENCE", kInvalidArgument, -1)                             \
  X(kSequenceRequired, "SEQUENCE_REQUIRED", kInvalidArgument, -1)                           \
  X(kEmptyRequest, "EMPTY_REQUEST", kInvalidArgument, -1)                                   \
  X(kMalformedRequest, "MALFORMED_REQUEST", kInvalidArgument, -1)                           \
  X(kMalformedRecord, "MALFORMED_RECORD", kInvalidArgument, -1)                             \
  X(kRecordTooLarge, "RECORD_TOO_LARGE", kInvalidArgument, -1)                              \
  X(kBatchTooLarge, "BATCH_TOO_LARGE", kInvalidArgument, -1)                                \
  X(kMetadataTooLarge, "METADATA_TOO_LARGE", kInvalidArgument, -1)                          \
  X(kExpectedOffsetNeedsPartition, "EXPECTED_OFFSET_NEEDS_PARTITION", kInvalidArgument, -1) \
  X(kPositionsWithGroup, "POSITIONS_WITH_GROUP", kInvalidArgument, -1)                      \
  X(kLimitExceeded, "LIMIT_EXCEEDED", kResourceExhausted, -1)                               \
  X(kGroupNotFound, "GROUP_NOT_FOUND", kNotFound, -1)                                       \
  X(kGroupHasMembers, "GROUP_HAS_MEMBERS", kFailedPrecondition, -1)                         \
  X(kSessionNotFound, "SESSION_NOT_FOUND", kNotFound, -1)                                   \
  X(kPartitionNotAssigned, "PARTITION_NOT_ASSIGNED", kFailedPrecondition, -1)               \
  X(kMemberFenced, "MEMBER_FENCED", kAborted, -1)                                           \
  X(kInstanceReplaced, "INSTANCE_REPLACED", kAborted, -1)                                   \
  X(kSuperseded, "SUPERSEDED", kAborted, -1)                                                \
  X(kProducerFenced, "PRODUCER_FENCED", kFailedPrecondition, -1)                            \
  X(kProducerUnknown, "PRODUCER_UNKNOWN", kFailedPrecondition, -1)                          \
  X(kSequenceGap, "SEQUENCE_GAP", kFailedPrecondition, -1)                                  \
  X(kUnexpectedOffset, "UNEXPECTED_OFFSET", kFailedPrecondition, -1)                        \
  X(kDiskFull, "DISK_FULL", kResourceExhausted, 5000)                                       \
  X(kStorageFailed, "STORAGE_FAILED", kUnavailable, 1000)                                   \
  X(kDataLoss, "DATA_LOSS", kDataLoss, -1)                                                  \
  X(kDraining, "DRAINING", kUnavailable, 1000)                                              \
  X(kOverloaded, "OVERLOADED", kResourceExhausted, 100)                                     \
  X(kQuotaExceeded, "QUOTA_EXCEEDED", kResourceExhausted, 1000)                             \
  X(kUnsupportedByEngine, "UNSUPPORTED_BY_ENGINE", kUnimplemented, -1)                      \
  X(kUnsupported, "UNSUPPORTED", kUnimplemented, -1)                                        \
  X(kUnauthenticated, "UNAUTHENTICATED", kUnauthenticated, -1)                              \
  X(kPermissionDenied, "PERMISSION_DENIED", kPermissionDenied, -1)                          \
  X(kInternal, "INTERNAL", kInternal, -1)

enum class Reason {
#define MILLRACE_REASON_ENUMERATOR(enumerator, word, code, retry_ms) enumerator,
  MILLRACE_REASONS(MILLRACE_REASON_ENUMERATOR)
#undef MILLRACE_REASON_ENUMERATOR
};

// What a reason means for every error that has it.
struct ReasonTraits {
  Reason reason;
  std::string_view word;                      // On the wire: ErrorInfo.reason.
  absl::StatusCode code;                      // The numbers are those of gRPC.
  std::optional<absl::Duration> retry_after;  // Absent: a retry of the same request will not help.
};

// Facts that go with an error, by name: "topic", "expected_sequence".
using ErrorMetadata = std::map<std::string, std::string>;

const ReasonTraits& TraitsOf(Reason reason);

// Every reason there is, in the table's order.
const std::vector<ReasonTraits>& AllReasons();

// An error with its reason, a sentence for a person and facts for a program.
absl::Status Error(Reason reason, std::string_view message, const ErrorMetadata& metadata = {});

// The reason of an error; absent for OK and for a status that was not made by Error.
std::optional<Reason> ReasonOf(const absl::Status& status);

// The facts of an error; empty where there are none.
ErrorMetadata MetadataOf(const absl::Status& status);

// After what time a retry makes sense: that of the fact "retry_after_ms" where the error knows
// better than its reason, else that of the reason. Absent: a retry of the same request will not
// help.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

}  // namespace millrace::storage
