package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.AcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.BatchAcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;

/** When each of the seven ack modes commits. Ten records, of one transaction, are there before a listener starts. */
@SpringBootTest(properties = "spring.kafka.producer.transaction-id-prefix=ack-modes-")
@EmbeddedMillrace
class AckModesTest {
  private static final int RECORDS = 10;
  private static final long NEVER_MS = Duration.ofHours(1).toMillis();
  private static final long SOON_MS = 20;

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  @Autowired KafkaAdmin admin;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;

  /** What was committed while each record was handled: of offset i at index i. */
  private final List<Long> seen = new CopyOnWriteArrayList<>();

  private TopicPartition partition;
  private KafkaMessageListenerContainer<String, String> container;

  @BeforeEach
  void writeRecords(TestInfo test) {
    String topic = test.getTestMethod().orElseThrow().getName();
    partition = new TopicPartition(topic, 0);
    admin.createOrModifyTopics(TopicBuilder.name(topic).partitions(1).build());
    template.executeInTransaction(transaction -> {
      for (int i = 0; i < RECORDS; ++i) {
        transaction.send(topic, "record " + i);
      }
      return null;
    });
  }

  @AfterEach
  void stopListening() {
    if (container != null) {
      container.stop();
    }
  }

  @Test
  void recordCommitsEachBeforeTheNextIsHandled() {
    listen(AckMode.RECORD, properties -> {});
    assertThat(seen).isEqualTo(LongStream.range(0, RECORDS).boxed().toList());
    awaitCommitted(RECORDS);
  }

  @Test
  void batchCommitsWhatAPollReturnedOnceAllOfItIsHandled() {
    listen(AckMode.BATCH, properties -> {});
    assertThat(seen).isEqualTo(Collections.nCopies(RECORDS, 0L));
    awaitCommitted(RECORDS);
  }

  @Test
  void timeCommitsNothingBeforeItsTime() {
    listen(AckMode.TIME, properties -> properties.setAckTime(NEVER_MS));
    assertThat(seen).isEqualTo(Collections.nCopies(RECORDS, 0L));
    assertThat(committed()).isZero();
    container.stop();
    assertThat(committed()).as("a container that stops commits what it has handled").isEqualTo(RECORDS);
  }

  @Test
  void timeCommitsAfterItsTime() {
    listen(AckMode.TIME, properties -> properties.setAckTime(SOON_MS));
    awaitCommitted(RECORDS);
  }

  @Test
  void countCommitsEveryNthRecord() {
    listen(AckMode.COUNT, properties -> properties.setAckCount(3));
    assertThat(seen).containsExactly(0L, 0L, 0L, 3L, 3L, 3L, 6L, 6L, 6L, 9L);
  }

  @Test
  void countTimeCommitsByCountWhereThatComesFirst() {
    listen(AckMode.COUNT_TIME, properties -> {
      properties.setAckCount(3);
      properties.setAckTime(NEVER_MS);
    });
    assertThat(seen).containsExactly(0L, 0L, 0L, 3L, 3L, 3L, 6L, 6L, 6L, 9L);
  }

  @Test
  void countTimeCommitsByTimeWhereThatComesFirst() {
    listen(AckMode.COUNT_TIME, properties -> {
      properties.setAckCount(1000);
      properties.setAckTime(SOON_MS);
    });
    awaitCommitted(RECORDS);
  }

  @Test
  void manualCommitsWhatIsAcknowledgedOnceAllOfAPollIsHandled() {
    listen(AckMode.MANUAL, properties -> {}, 5, RECORDS);
    assertThat(seen).isEqualTo(Collections.nCopies(RECORDS, 0L));
    awaitCommitted(5);
    container.stop();
    seen.clear();
    listen(AckMode.MANUAL, properties -> {}, RECORDS, RECORDS - 5);
    assertThat(seen).as("the rest comes again").isEqualTo(Collections.nCopies(RECORDS - 5, 5L));
    awaitCommitted(RECORDS);
  }

  @Test
  void manualImmediateCommitsBeforeAcknowledgeReturns() {
    listen(AckMode.MANUAL_IMMEDIATE, properties -> {});
    assertThat(seen).isEqualTo(LongStream.range(0, RECORDS).boxed().toList());
    awaitCommitted(RECORDS);
  }

  @Test
  void aBatchListenerMayAcknowledgeAPartOfABatchAtOnce() {
    listen(AckMode.MANUAL_IMMEDIATE, properties -> properties.setMessageListener(
        (BatchAcknowledgingConsumerAwareMessageListener<String, String>) (records, acknowledgment, consumer) -> {
          acknowledgment.acknowledge(3);
          long afterThree = committed();
          acknowledgment.acknowledge();
          records.forEach(record -> seen.add(afterThree));
        }));
    assertThat(seen).isEqualTo(Collections.nCopies(RECORDS, 4L));
    awaitCommitted(RECORDS);
  }

  private void listen(AckMode mode, Consumer<ContainerProperties> settings) {
    listen(mode, settings, RECORDS, RECORDS);
  }

  /** Returns when so many records are handled; those of lower offsets than `end` are acknowledged, if that can be. */
  private void listen(AckMode mode, Consumer<ContainerProperties> settings, long end, int records) {
    ContainerProperties properties = new ContainerProperties(partition.topic());
    properties.setGroupId("group");
    properties.setAckMode(mode);
    properties.setMessageListener((AcknowledgingConsumerAwareMessageListener<String, String>)
        (record, acknowledgment, consumer) -> {
          seen.add(committed());
          if (acknowledgment != null && record.offset() < end) {
            acknowledgment.acknowledge();
          }
        });
    settings.accept(properties);
    container = new KafkaMessageListenerContainer<>(consumers, properties);
    container.start();
    await().until(() -> seen.size() >= records);
  }

  private void awaitCommitted(long offset) {
    await().untilAsserted(() -> assertThat(committed()).isEqualTo(offset));
  }

  private long committed() {
    return GroupOffsets.committed(consumers, "group", partition);
  }
}
