package dev.millrace.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.client.ProducerStatistics;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.Metric;
import org.junit.jupiter.api.Test;

class ClientMetricsTest {

  private static Object value(ClientMetrics metrics, String group, String name) {
    return metrics.all().entrySet().stream()
        .filter(entry -> entry.getKey().group().equals(group) && entry.getKey().name().equals(name))
        .map(entry -> ((Metric) entry.getValue()).metricValue())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void everyMetricSaysWhoseItIs() {
    try (ClientMetrics metrics = ClientMetrics.ofProducer("app-1", () -> null)) {
      assertTrue(metrics.all().keySet().stream().allMatch(name -> "app-1".equals(name.tags().get("client-id"))));
    }
  }

  @Test
  void aProducersAreThoseOfTheMoment() {
    AtomicReference<ProducerStatistics> now = new AtomicReference<>(new ProducerStatistics(0, 0, 0, 0, 0, 0));
    try (ClientMetrics metrics = ClientMetrics.ofProducer("app-1", now::get)) {
      now.set(new ProducerStatistics(7, 2, 5, 1, 0, 0));
      assertEquals(7L, value(metrics, "producer-metrics", "record-send-total"));
      assertEquals(2L, value(metrics, "producer-metrics", "record-error-total"));
      assertEquals(5L, value(metrics, "producer-metrics", "request-total"));
      assertEquals(1L, value(metrics, "producer-metrics", "record-retry-total"));
    }
  }

  @Test
  void aConsumersAreCountedAndAskedFor() {
    ClientMetrics.ConsumerCounts counts = new ClientMetrics.ConsumerCounts(() -> 12, () -> 3);
    try (ClientMetrics metrics = ClientMetrics.ofConsumer("app-1", counts)) {
      counts.records.add(5);
      counts.bytes.add(500);
      counts.commits.increment();
      assertEquals(5L, value(metrics, "consumer-fetch-manager-metrics", "records-consumed-total"));
      assertEquals(500L, value(metrics, "consumer-fetch-manager-metrics", "bytes-consumed-total"));
      assertEquals(12L, value(metrics, "consumer-fetch-manager-metrics", "records-lag-max"));
      assertEquals(3L, value(metrics, "consumer-coordinator-metrics", "assigned-partitions"));
      assertEquals(1L, value(metrics, "consumer-coordinator-metrics", "commit-total"));
      assertEquals(0L, value(metrics, "consumer-coordinator-metrics", "rebalance-total"));
    }
  }
}
