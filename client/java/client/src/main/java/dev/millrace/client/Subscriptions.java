package dev.millrace.client;

import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import millrace.v1.Ending;
import millrace.v1.SubscribeRequest;

/** How a subscription is asked for, the first time and again, and what its end amounts to. */
final class Subscriptions {
  private Subscriptions() {}

  /** @param lastMemberId of the session before, whose place this one takes; empty: none */
  static SubscribeRequest request(ConsumerOptions options, String lastMemberId, ReadingTable readings) {
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder()
            .setGroup(options.group())
            .addAllTopics(options.topics())
            .setOnOutOfRange(options.onOutOfRange().toProto())
            .setInstanceId(options.instanceId())
            .setResumeMemberId(lastMemberId)
            .setMaxBatchBytes(options.maxBatchBytes())
            .setHeartbeatInterval(Times.toProto(options.heartbeatInterval()))
            .setAllowMissingTopics(options.allowMissingTopics())
            .setEndAtCurrent(options.endAtCurrent());
    if (options.start() != null) request.setStart(options.start().toProto());
    if (options.revokeTimeout() != null) request.setRevokeTimeout(Times.toProto(options.revokeTimeout()));
    if (!options.inGroup() && readings.everAssigned()) {
      resume(options, readings, request);
    } else {
      options.positions().forEach(position -> request.addPositions(position.toProto()));
    }
    return request.build();
  }

  private static void resume(
      ConsumerOptions options, ReadingTable readings, SubscribeRequest.Builder request) {
    // What this consumer does not know yet came to be after it began.
    request.setStart(Start.EARLIEST.toProto());
    List<String> topics = new ArrayList<>(options.topics());
    for (Reading reading : readings.all()) {
      if (reading.failed) {
        // A partition that cannot be read would be refused, and all others with it: of such a topic
        // exactly the others are asked for.
        topics.remove(reading.partition.topic());
      } else if (reading.known) {
        request.addPositions(new Position(reading.partition, reading.received, reading.receivedEpoch).toProto());
      }
    }
    request.clearTopics().addAllTopics(topics);
  }

  /** What an orderly end amounts to, where the hub gave no status of its own. */
  static MillraceException errorOf(Ending ending) {
    return switch (ending.getReason()) {
      case ENDING_REASON_INSTANCE_REPLACED ->
          new MillraceException(Status.Code.ABORTED, Reason.INSTANCE_REPLACED, ending.getMessage());
      case ENDING_REASON_DRAINING ->
          new MillraceException(Status.Code.UNAVAILABLE, Reason.DRAINING, ending.getMessage());
      case ENDING_REASON_LEFT -> MillraceException.closed("membership");
      case ENDING_REASON_MAX_AGE ->
          new MillraceException(Status.Code.UNAVAILABLE, "", "The stream reached its maximum age.");
      case ENDING_REASON_REFUSED ->
          new MillraceException(Status.Code.PERMISSION_DENIED, Reason.PERMISSION_DENIED, ending.getMessage());
      default -> new MillraceException(Status.Code.INTERNAL, "", ending.getMessage());
    };
  }
}
