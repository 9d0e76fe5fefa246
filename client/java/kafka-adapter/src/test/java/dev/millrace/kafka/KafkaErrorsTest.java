package dev.millrace.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.millrace.client.Reason;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import millrace.v1.CreateTopicRequest;
import millrace.v1.CreateTopicResponse;
import millrace.v1.TopicServiceGrpc;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a hub rarely answers, by one that answers nothing else. */
@Timeout(120)
class KafkaErrorsTest {
  private static final int WAIT_SECONDS = 7200;

  /** Nobody may make a topic for longer than any call waits. */
  private static final class FullHub extends TopicServiceGrpc.TopicServiceImplBase {
    @Override
    public void createTopic(CreateTopicRequest request, StreamObserver<CreateTopicResponse> answer) {
      RetryInfo.Builder retry = RetryInfo.newBuilder();
      retry.getRetryDelayBuilder().setSeconds(WAIT_SECONDS);
      Status refused =
          Status.newBuilder()
              .setCode(Code.RESOURCE_EXHAUSTED_VALUE)
              .setMessage("ops has used up its quota")
              .addDetails(Any.pack(ErrorInfo.newBuilder().setReason(Reason.QUOTA_EXCEEDED).build()))
              .addDetails(Any.pack(retry.build()))
              .build();
      answer.onError(StatusProto.toStatusRuntimeException(refused));
    }
  }

  @Test
  void anExceededQuotaSaysHowLongToWaitWhereTheCallCannot() throws IOException {
    Server hub =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new FullHub())
            .build()
            .start();
    Map<String, Object> settings = Map.of("bootstrap.servers", "127.0.0.1:" + hub.getPort());
    try (MillraceKafkaAdmin admin = new MillraceKafkaAdmin(settings)) {
      List<NewTopic> topics = List.of(new NewTopic("orders", 1, (short) 1));
      Throwable cause =
          assertThrows(ExecutionException.class, () -> admin.createTopics(topics).all().get()).getCause();
      ThrottlingQuotaExceededException refused = assertInstanceOf(ThrottlingQuotaExceededException.class, cause);
      assertEquals(Duration.ofSeconds(WAIT_SECONDS).toMillis(), refused.throttleTimeMs());
      assertTrue(refused.getMessage().contains("ops has used up its quota"), refused.getMessage());
    } finally {
      hub.shutdownNow();
    }
  }
}
