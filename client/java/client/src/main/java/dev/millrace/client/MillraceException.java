package dev.millrace.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import millrace.v1.RequestError;

/**
 * Why something failed: the gRPC code, the hub's reason and facts for a program, a sentence for a
 * person. Immutable.
 */
public class MillraceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Status.Code code;
  private final String reason;
  private final transient Map<String, String> metadata;
  private final Duration retryAfter;

  MillraceException(
      Status.Code code,
      String reason,
      String message,
      Map<String, String> metadata,
      Duration retryAfter,
      Throwable cause) {
    super(reason.isEmpty() ? code + ": " + message : code + "/" + reason + ": " + message, cause);
    this.code = code;
    this.reason = reason;
    this.metadata = Map.copyOf(metadata);
    this.retryAfter = retryAfter;
  }

  MillraceException(Status.Code code, String reason, String message) {
    this(code, reason, message, Map.of(), null, null);
  }

  /** Of a failed call; the details that the hub sent along are read. */
  static MillraceException of(Throwable error) {
    if (error instanceof MillraceException known) return known;
    Status status = Status.fromThrowable(error);
    String message = status.getDescription() == null ? "" : status.getDescription();
    String reason = "";
    Map<String, String> metadata = Map.of();
    Duration retryAfter = null;
    com.google.rpc.Status details = StatusProto.fromThrowable(error);
    for (Any detail : details == null ? java.util.List.<Any>of() : details.getDetailsList()) {
      try {
        if (detail.is(ErrorInfo.class)) {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          reason = info.getReason();
          metadata = info.getMetadataMap();
        } else if (detail.is(RetryInfo.class)) {
          retryAfter = Times.toDuration(detail.unpack(RetryInfo.class).getRetryDelay());
        }
      } catch (InvalidProtocolBufferException malformed) {
        // A detail that cannot be read tells nothing; code and message still do.
      }
    }
    if (reason.isEmpty() && FirstContact.isTlsRefusal(status)) reason = Reason.TLS_FAILED;
    return new MillraceException(status.getCode(), reason, message, metadata, retryAfter, error);
  }

  /** Of an error that was told inside an answer or a frame. */
  static MillraceException of(RequestError error) {
    return new MillraceException(
        Status.fromCodeValue(error.getCode()).getCode(),
        error.getReason(),
        error.getMessage(),
        error.getMetadataMap(),
        error.hasRetryAfter() ? Times.toDuration(error.getRetryAfter()) : null,
        null);
  }

  /** The gRPC status code. */
  public Status.Code code() {
    return code;
  }

  /** What happened, for a program, see {@link Reason}. Empty where no hub said so: no connection, say. */
  public String reason() {
    return reason;
  }

  /** Whether this is the reason. */
  public boolean is(String wanted) {
    return reason.equals(wanted);
  }

  /** Facts that go with the reason, such as {@code topic}; empty where there are none. */
  public Map<String, String> metadata() {
    return metadata == null ? Map.of() : metadata;
  }

  /** When a retry of the same request may succeed, as the hub says. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /** Whether the same request may succeed later: the hub is away, stops, or asks to wait. */
  public boolean isTransient() {
    if (retryAfter != null) return true;
    return switch (code) {
      // The last three are what gRPC makes of a connection that ends in the middle of an answer.
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL -> true;
      default -> false;
    };
  }

  /** Whether who calls is not known, or may not do this: the same call succeeds once the hub is told otherwise. */
  boolean isRefusal() {
    return code == Status.Code.UNAUTHENTICATED || code == Status.Code.PERMISSION_DENIED;
  }

  /** A number among the facts, or another where it is missing. */
  long number(String name, long otherwise) {
    try {
      return Long.parseLong(metadata().getOrDefault(name, ""));
    } catch (NumberFormatException missing) {
      return otherwise;
    }
  }

  /** The same error, with the stack of whoever is told of it now. */
  MillraceException again() {
    return new MillraceException(code, reason, bare(), metadata(), retryAfter, this);
  }

  private String bare() {
    String prefix = reason.isEmpty() ? code + ": " : code + "/" + reason + ": ";
    return getMessage().substring(prefix.length());
  }

  static MillraceException closed(String what) {
    return new MillraceException(
        Status.Code.FAILED_PRECONDITION, Reason.CLOSED, "The " + what + " is closed.");
  }
}
