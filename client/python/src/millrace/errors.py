"""What the hub refuses, as exceptions: one class a reason of the contract.

    try:
        hub.produce("orders", b"...")
    except millrace.TopicNotFound as error:
        hub.create_topic(error.metadata["topic"])

All are a MillraceError, whose `reason` is the same for programs. A reason that this version does not know yet is a
plain MillraceError."""

from collections.abc import Mapping

import grpc
from google.rpc import error_details_pb2, status_pb2

from millrace.v1 import error_pb2

__all__ = [
    "MillraceError", "ConnectionLost", "TimedOut", "Closed", "TopicNotFound", "TopicExists", "PartitionOutOfRange",
    "OffsetOutOfRange", "LogEpochChanged", "InvalidName", "InvalidConfig", "InvalidDirectory", "InvalidPage",
    "InvalidSequence", "SequenceRequired", "EmptyRequest", "MalformedRequest", "MalformedRecord", "RecordTooLarge",
    "BatchTooLarge", "MetadataTooLarge", "ExpectedOffsetNeedsPartition", "PositionsWithGroup", "LimitExceeded",
    "GroupNotFound", "GroupHasMembers", "SessionNotFound", "PartitionNotAssigned", "MemberFenced",
    "InstanceReplaced", "Superseded", "ProducerFenced", "ProducerUnknown", "SequenceGap", "UnexpectedOffset",
    "DiskFull", "StorageFailed", "DataLoss", "Draining", "Overloaded", "QuotaExceeded", "UnsupportedByEngine",
    "Unsupported", "Unauthenticated", "PermissionDenied", "InternalError",
]


class MillraceError(Exception):
    """What the hub refused, or what became of the connection."""

    reason: str = "UNKNOWN"

    def __init__(self, message: str = "", *, reason: str | None = None, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
                 metadata: Mapping[str, str] | None = None, retry_after: float | None = None) -> None:
        self.reason = reason or type(self).reason
        super().__init__(message or self.reason)
        self.code = code
        self.metadata = dict(metadata or {})  # Facts that go with the reason, such as "topic".
        self.retry_after = retry_after  # Seconds after which the same request may succeed. None: it will not.

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.retry_after is not None


# ---- What the library itself says


class ConnectionLost(MillraceError, ConnectionError):
    """The hub is not there, or was not any more before it answered: the request may have been carried out."""

    reason = "CONNECTION_LOST"


class TimedOut(MillraceError, TimeoutError):
    """The hub did not answer in time: the request may have been carried out, or still be."""

    reason = "TIMED_OUT"


class Closed(MillraceError):
    """The hub, the producer or the subscription was closed by this program."""

    reason = "CLOSED"


# ---- What the hub says: the table "Errors" of the repository's README


class TopicNotFound(MillraceError):
    """Create the topic, or check the name."""

    reason = "TOPIC_NOT_FOUND"


class TopicExists(MillraceError):
    """Use it, or choose another name."""

    reason = "TOPIC_EXISTS"


class PartitionOutOfRange(MillraceError):
    """Name a partition below the topic's count (GetTopic)."""

    reason = "PARTITION_OUT_OF_RANGE"


class OffsetOutOfRange(MillraceError):
    """Go on at `earliest` or `latest` of the metadata; set `on_out_of_range` to have that done."""

    reason = "OFFSET_OUT_OF_RANGE"


class LogEpochChanged(MillraceError):
    """The log was replaced or cut: what you read from `valid_until` on may be gone. Start there anew."""

    reason = "LOG_EPOCH_CHANGED"


class InvalidName(MillraceError):
    """Names are `[a-zA-Z0-9._-]{1,249}`."""

    reason = "INVALID_NAME"


class InvalidConfig(MillraceError):
    """Correct the setting that the message names."""

    reason = "INVALID_CONFIG"


class InvalidDirectory(MillraceError):
    """Name a directory that is not there yet, by its absolute path on the hub's machine."""

    reason = "INVALID_DIRECTORY"


class InvalidPage(MillraceError):
    """Use the page token of the answer before, or start anew."""

    reason = "INVALID_PAGE"


class InvalidSequence(MillraceError):
    """Give producer_id, epoch and a sequence from 1; repeat a Transact as a Transact and a Produce as a Produce."""

    reason = "INVALID_SEQUENCE"


class SequenceRequired(MillraceError):
    """Transact needs a sequence: OpenProducer first."""

    reason = "SEQUENCE_REQUIRED"


class EmptyRequest(MillraceError):
    """Name at least one record, topic or entry."""

    reason = "EMPTY_REQUEST"


class MalformedRequest(MillraceError):
    """The bytes are not this message: regenerate the stubs."""

    reason = "MALFORMED_REQUEST"


class MalformedRecord(MillraceError):
    """Correct the record at `record_index` (of the append at `append_index` in a Transact); nothing of the request
    was stored."""

    reason = "MALFORMED_RECORD"


class RecordTooLarge(MillraceError):
    """Send less in the record at `record_index`, or raise the limit."""

    reason = "RECORD_TOO_LARGE"


class BatchTooLarge(MillraceError):
    """Split the request."""

    reason = "BATCH_TOO_LARGE"


class MetadataTooLarge(MillraceError):
    """Shorten the metadata of the committed offset."""

    reason = "METADATA_TOO_LARGE"


class ExpectedOffsetNeedsPartition(MillraceError):
    """Name the partition as well."""

    reason = "EXPECTED_OFFSET_NEEDS_PARTITION"


class PositionsWithGroup(MillraceError):
    """Leave out the positions or the group."""

    reason = "POSITIONS_WITH_GROUP"


class LimitExceeded(MillraceError):
    """Use fewer, or raise the limit that the message names."""

    reason = "LIMIT_EXCEEDED"


class GroupNotFound(MillraceError):
    """Check the name; a group exists from its first subscription or commit on."""

    reason = "GROUP_NOT_FOUND"


class GroupHasMembers(MillraceError):
    """Stop the members first, or commit as one of them."""

    reason = "GROUP_HAS_MEMBERS"


class SessionNotFound(MillraceError):
    """The subscription has ended: subscribe again."""

    reason = "SESSION_NOT_FOUND"


class PartitionNotAssigned(MillraceError):
    """Act only on partitions of the last `assigned` frame."""

    reason = "PARTITION_NOT_ASSIGNED"


class MemberFenced(MillraceError):
    """Another member has the partition: drop what you hold of it."""

    reason = "MEMBER_FENCED"


class InstanceReplaced(MillraceError):
    """Another process uses this instance_id. Do not retry."""

    reason = "INSTANCE_REPLACED"


class Superseded(MillraceError):
    """The position was set anew since: drop the batches of the older position_epoch."""

    reason = "SUPERSEDED"


class ProducerFenced(MillraceError):
    """A newer epoch of this producer is open. Do not retry."""

    reason = "PRODUCER_FENCED"


class ProducerUnknown(MillraceError):
    """OpenProducer again; what had no answer may be stored."""

    reason = "PRODUCER_UNKNOWN"


class SequenceGap(MillraceError):
    """Send `expected_sequence` first."""

    reason = "SEQUENCE_GAP"


class UnexpectedOffset(MillraceError):
    """Somebody else wrote: read up to `next_offset` and decide anew."""

    reason = "UNEXPECTED_OFFSET"


class DiskFull(MillraceError):
    """Free space on the hub; writing resumes by itself. Reading goes on."""

    reason = "DISK_FULL"


class StorageFailed(MillraceError):
    """Repeat with the same sequence once the hub is back; without one the outcome is unknown."""

    reason = "STORAGE_FAILED"


class DataLoss(MillraceError):
    """Records from `from` to `to` are damaged on the disk. Seek past them, or restore."""

    reason = "DATA_LOSS"


class Draining(MillraceError):
    """The hub stops: connect again."""

    reason = "DRAINING"


class Overloaded(MillraceError):
    """Wait and send again, or send on a stream, which is held back instead."""

    reason = "OVERLOADED"


class QuotaExceeded(MillraceError):
    """Wait as long as the error says, or ask for a larger quota."""

    reason = "QUOTA_EXCEEDED"


class UnsupportedByEngine(MillraceError):
    """Ask GetHub what this engine can do."""

    reason = "UNSUPPORTED_BY_ENGINE"


class Unsupported(MillraceError):
    """This hub is too old for it: see its version."""

    reason = "UNSUPPORTED"


class Unauthenticated(MillraceError):
    """Say who you are."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(MillraceError):
    """Ask for the permission."""

    reason = "PERMISSION_DENIED"


class InternalError(MillraceError):
    """A fault of the hub: please report it with the hub's log."""

    reason = "INTERNAL"


_BY_REASON = {error.reason: error for error in MillraceError.__subclasses__()}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
# How gRPC tells that a connection broke.
_BROKEN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}


def from_request_error(error: error_pb2.RequestError) -> MillraceError:
    """An error that is told inside an answer or a frame."""
    retry_after = error.retry_after.ToTimedelta().total_seconds() if error.HasField("retry_after") else None
    code = _CODES.get(error.code, grpc.StatusCode.UNKNOWN)
    return _make(error.reason, error.message, code, error.metadata, retry_after)


def from_rpc_error(error: grpc.RpcError) -> MillraceError:
    """The error of a call: the hub's own, or the connection's."""
    assert isinstance(error, grpc.aio.AioRpcError)
    info, retry_after = error_details_pb2.ErrorInfo(), None
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
                retry = error_details_pb2.RetryInfo()
                if detail.Unpack(retry):
                    retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    message = error.details() or ""
    if info.reason:
        return _make(info.reason, message, error.code(), info.metadata, retry_after)
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimedOut(message, code=error.code())
    if error.code() in _BROKEN:
        return ConnectionLost(message, code=error.code(), retry_after=0.0)
    return MillraceError(message, reason=error.code().name, code=error.code())


def _make(reason: str, message: str, code: grpc.StatusCode, metadata: Mapping[str, str],
          retry_after: float | None) -> MillraceError:
    return _BY_REASON.get(reason, MillraceError)(
        message, reason=reason, code=code, metadata=metadata, retry_after=retry_after)
