package orders;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.StatusRuntimeException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import millrace.v1.EventHubServiceGrpc;
import millrace.v1.EventHubServiceGrpc.EventHubServiceBlockingStub;
import millrace.v1.Header;
import millrace.v1.OpenProducerRequest;
import millrace.v1.ProduceRequest;
import millrace.v1.ProducerSequence;
import millrace.v1.Record;
import shop.Order;

/**
 * Sends orders, each stored once however often it is sent: OrderProducer HOST:PORT TOPIC &lt; LINES.
 * A line is "number,item,quantity,price_cents"; a number alone cancels the order.
 */
public final class OrderProducer {
  private final EventHubServiceBlockingStub hub;

  private OrderProducer(EventHubServiceBlockingStub hub) {
    this.hub = hub;
  }

  private static Record order(String line) {
    String[] fields = line.split(",", -1);
    if (fields.length != 1 && fields.length != 4) throw new IllegalArgumentException("not an order: " + line);
    byte[] schema = {0x00, 0x01, (byte) 0xfe, (byte) 0xff};
    Record.Builder record = Record.newBuilder()
        .setKey(ByteString.copyFromUtf8(fields[0])) // Orders of one number stay in order.
        .addHeaders(Header.newBuilder().setName("source").setValue(ByteString.copyFromUtf8("java")))
        .addHeaders(Header.newBuilder().setName("schema").setValue(ByteString.copyFrom(schema))) // Any bytes,
        .addHeaders(Header.newBuilder().setName("note").setValue(ByteString.EMPTY)) // or none,
        .addHeaders(Header.newBuilder().setName("gift")); // or no value at all.
    if (fields.length == 1) return record.build(); // Without a value: a tombstone.
    return record.setValue(Order.newBuilder().setItem(fields[1]).setQuantity(Integer.parseInt(fields[2]))
        .setPriceCents(Long.parseLong(fields[3])).build().toByteString()).build();
  }

  /** Calls until the hub answers. A repeated request is stored once, since the hub knows its sequence. */
  private <T> T answer(Function<EventHubServiceBlockingStub, T> call) throws InterruptedException {
    while (true) {
      try {
        return call.apply(hub.withDeadlineAfter(30, TimeUnit.SECONDS));
      } catch (StatusRuntimeException error) {
        switch (error.getStatus().getCode()) {
          case UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED -> System.err.println(error.getMessage());
          case UNKNOWN -> System.err.println(error.getMessage()); // grpc-java's for a connection that breaks.
          default -> throw error; // The hub refuses it.
        }
      }
      Thread.sleep(1000);
    }
  }

  private void send(String topic, BufferedReader lines) throws Exception {
    var me = answer(stub -> stub.openProducer(OpenProducerRequest.getDefaultInstance()));
    long sequence = me.getLastSequence();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      var request = ProduceRequest.newBuilder().setTopic(topic).addRecords(order(line))
          .setSequence(ProducerSequence.newBuilder().setProducerId(me.getProducerId()).setEpoch(me.getEpoch())
              .setSequence(++sequence))
          .build();
      for (var stored : answer(stub -> stub.produce(request)).getAppendedList()) {
        System.out.println("partition " + stored.getPartition() + ", offset " + stored.getBaseOffset());
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    var channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    try (var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      new OrderProducer(EventHubServiceGrpc.newBlockingStub(channel)).send(arguments[1], lines);
    } finally {
      channel.shutdown();
    }
  }
}
