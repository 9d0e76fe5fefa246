package orders;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import millrace.v1.CommitOffsetRequest;
import millrace.v1.EventHubServiceGrpc;
import millrace.v1.EventHubServiceGrpc.EventHubServiceBlockingStub;
import millrace.v1.OffsetCommit;
import millrace.v1.RecordBatch;
import millrace.v1.SubscribeRequest;
import shop.Order;

/** One member of a consumer group: OrderMember HOST:PORT TOPIC GROUP [INSTANCE_ID]. */
public final class OrderMember {
  private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
  private final EventHubServiceBlockingStub hub;
  private final SubscribeRequest.Builder request;
  private volatile boolean stopping;

  private OrderMember(EventHubServiceBlockingStub hub, SubscribeRequest.Builder request) {
    this.hub = hub;
    this.request = request;
  }

  /** Your work goes here. Answers how far it has come. */
  private OffsetCommit process(RecordBatch batch) {
    long offset = batch.getBaseOffset();
    for (var record : batch.getRecordsList()) {
      String order = record.hasValue() ? text(record.getValue()) : "cancelled"; // A tombstone.
      String bytes = HexFormat.of().formatHex(record.toByteArray());
      out.printf("%d %d %s %s: %s%n", batch.getPartition(), offset++, bytes, record.getKey().toStringUtf8(), order);
    }
    return OffsetCommit.newBuilder().setTopic(batch.getTopic()).setPartition(batch.getPartition())
        .setNextOffset(offset).setPositionEpoch(batch.getPositionEpoch()).build();
  }

  private static String text(ByteString value) {
    try {
      var order = Order.parseFrom(value);
      return order.getQuantity() + " x " + order.getItem() + " for " + order.getPriceCents() + " cents";
    } catch (InvalidProtocolBufferException error) {
      return "no order: " + error.getMessage();
    }
  }

  /** Reads one stream, until it ends or the member has stopped. */
  private Void read() {
    var commit = CommitOffsetRequest.newBuilder().setGroup(request.getGroup());
    var frames = hub.subscribe(request.build()); // The open stream is the membership.
    while (frames.hasNext()) {
      var frame = frames.next();
      if (frame.hasSessionStarted()) {
        var me = frame.getSessionStarted();
        request.setResumeMemberId(me.getMemberId()); // For when the stream breaks.
        commit.setMemberId(me.getMemberId()).setMemberEpoch(me.getMemberEpoch());
      }
      commit.clearOffsets();
      frame.getBatches().getBatchesList().forEach(batch -> commit.addOffsets(process(batch)));
      boolean last = stopping;
      commit.setLeave(last && request.getInstanceId().isEmpty()); // An instance comes back to its partitions.
      if (commit.getOffsetsCount() > 0 || commit.getLeave()) { // When `revoking` comes all is committed.
        hub.withDeadlineAfter(10, TimeUnit.SECONDS).commitOffset(commit.build());
      }
      if (last) break;
      if (frame.hasEnding() && !frame.getEnding().getRetry()) {
        throw new IllegalStateException(frame.getEnding().getMessage());
      }
    }
    return null;
  }

  private void run() throws Exception {
    var ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> { // SIGTERM, Ctrl-C: the JVM waits for this.
      stopping = true;
      try {
        ended.await();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }));
    try {
      while (!stopping) {
        try (var stream = Context.current().withCancellation()) { // Ends the stream, whatever happens.
          stream.call(this::read);
        } catch (StatusRuntimeException error) { // The hub restarts, say: come back and take the old place.
          System.err.println(error.getMessage());
        }
        if (!stopping) Thread.sleep(1000);
      }
    } finally {
      ended.countDown();
    }
  }

  public static void main(String[] arguments) throws Exception {
    var channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create())
        .keepAliveTime(20, TimeUnit.SECONDS).build(); // Finds a dead connection.
    var request = SubscribeRequest.newBuilder().addTopics(arguments[1]).setGroup(arguments[2])
        .setInstanceId(arguments.length > 3 ? arguments[3] : "")
        .setHeartbeatInterval(Duration.newBuilder().setSeconds(1)); // So that `stopping` is seen within a second.
    try {
      new OrderMember(EventHubServiceGrpc.newBlockingStub(channel), request).run();
    } finally {
      channel.shutdownNow();
    }
  }
}
