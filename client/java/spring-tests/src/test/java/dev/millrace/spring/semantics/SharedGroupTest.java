package dev.millrace.spring.semantics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.spring.test.EmbeddedMillrace;
import dev.millrace.test.HubProcess;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;

/** Two instances of an application, processes of their own, share a group; one of them is killed. */
@SpringBootTest
@EmbeddedMillrace(topics = {"work", "handled"}, partitions = 4)
class SharedGroupTest {
  private static final int PARTITIONS = 4;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  @Autowired HubProcess hub;
  @Autowired KafkaTemplate<String, String> template;
  @Autowired ConsumerFactory<String, String> consumers;
  @TempDir Path logs;

  @Test
  void theOtherTakesOverWhatAKilledInstanceHadAndHadNotCommitted() throws Exception {
    Process first = startInstance("first");
    Process second = startInstance("second");
    try {
      awaitAtWork(Set.of("first", "second"));

      template.send("work", 0, null, Worker.HANG).get();
      String holder = awaitHangs();
      String other = holder.equals("first") ? "second" : "first";
      (holder.equals("first") ? first : second).destroyForcibly().waitFor();

      await().atMost(PATIENCE).untilAsserted(() -> assertThat(StoredRecords.values(consumers, "handled"))
          .as("it was not committed").contains(other + " " + Worker.HANG));
      for (int partition = 0; partition < PARTITIONS; ++partition) {
        template.send("work", partition, null, "after " + partition).get();
      }
      await().atMost(PATIENCE).untilAsserted(() -> {
        List<String> handled = StoredRecords.values(consumers, "handled");
        for (int partition = 0; partition < PARTITIONS; ++partition) {
          assertThat(handled).containsOnlyOnce(other + " after " + partition);
        }
      });
    } finally {
      first.destroyForcibly().waitFor();
      second.destroyForcibly().waitFor();
    }
  }

  /** Sends to every partition until each instance has handled something, and all is handled, once. */
  private void awaitAtWork(Set<String> instances) {
    int[] rounds = {0};
    await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).until(() -> {
      for (int partition = 0; partition < PARTITIONS; ++partition) {
        template.send("work", partition, null, "round " + rounds[0] + " of " + partition).get();
      }
      ++rounds[0];
      return StoredRecords.values(consumers, "handled").stream().map(value -> value.split(" ")[0])
          .collect(Collectors.toSet()).equals(instances);
    });
  }

  /** Which instance hangs. */
  private String awaitHangs() {
    await().atMost(PATIENCE).until(() -> hanging() != null);
    return hanging();
  }

  private String hanging() {
    return StoredRecords.values(consumers, "handled").stream().filter(value -> value.endsWith(Worker.HANGS))
        .map(value -> value.split(" ")[0]).findFirst().orElse(null);
  }

  private Process startInstance(String name) throws IOException {
    return new ProcessBuilder(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
        "-cp", System.getProperty("java.class.path"), Worker.class.getName(),
        "--millrace.target=" + hub.target(), "--instance=" + name)
        .redirectErrorStream(true).redirectOutput(new File(logs.toFile(), name + ".log")).start();
  }
}
