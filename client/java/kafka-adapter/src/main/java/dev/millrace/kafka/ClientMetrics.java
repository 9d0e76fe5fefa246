package dev.millrace.kafka;

import dev.millrace.client.ProducerStatistics;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.Gauge;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;

/**
 * What a producer or consumer counts, under the names and with the tag {@code client-id} that Kafka's clients use, so
 * that Micrometer's binding and dashboards find it. A value is read when it is asked for: sending and receiving pay
 * nothing. Safe for use by many threads.
 */
final class ClientMetrics implements AutoCloseable {
  private final Metrics metrics;

  private ClientMetrics(String clientId) {
    MetricConfig config = new MetricConfig().tags(Map.of("client-id", clientId));
    metrics = new Metrics(config, List.of(), Time.SYSTEM);
  }

  static ClientMetrics ofProducer(String clientId, Supplier<ProducerStatistics> statistics) {
    return new ClientMetrics(clientId)
        .add("producer-metrics", "record-send-total", "Records that are stored.",
            () -> statistics.get().recordsDelivered())
        .add("producer-metrics", "record-error-total", "Records that could not be stored.",
            () -> statistics.get().recordsFailed())
        .add("producer-metrics", "record-retry-total", "Requests that were repeated, of one or more records.",
            () -> statistics.get().requestsRepeated())
        .add("producer-metrics", "request-total", "Requests that were sent, repetitions included.",
            () -> statistics.get().requestsSent());
  }

  static ClientMetrics ofConsumer(String clientId, ConsumerCounts counts) {
    return new ClientMetrics(clientId)
        .add("consumer-fetch-manager-metrics", "records-consumed-total", "Records that poll() returned.",
            counts.records::sum)
        .add("consumer-fetch-manager-metrics", "bytes-consumed-total", "Bytes of their keys and values.",
            counts.bytes::sum)
        .add("consumer-fetch-manager-metrics", "records-lag-max",
            "Records behind the position in the partition that has most of them.", counts.maxLag)
        .add("consumer-coordinator-metrics", "assigned-partitions", "Partitions that it has now.",
            counts.assignedPartitions)
        .add("consumer-coordinator-metrics", "rebalance-total", "Times that partitions came or went.",
            counts.rebalances::sum)
        .add("consumer-coordinator-metrics", "commit-total", "Commits that succeeded.", counts.commits::sum);
  }

  /** What a consumer counts as it goes on, and what it is asked for by any thread. */
  static final class ConsumerCounts {
    final LongAdder records = new LongAdder();
    final LongAdder bytes = new LongAdder();
    final LongAdder rebalances = new LongAdder();
    final LongAdder commits = new LongAdder();
    private final LongSupplier maxLag;
    private final LongSupplier assignedPartitions;

    ConsumerCounts(LongSupplier maxLag, LongSupplier assignedPartitions) {
      this.maxLag = maxLag;
      this.assignedPartitions = assignedPartitions;
    }
  }

  private ClientMetrics add(String group, String name, String description, LongSupplier value) {
    Gauge<Long> gauge = (config, nowMs) -> value.getAsLong();
    metrics.addMetric(metrics.metricName(name, group, description), gauge);
    return this;
  }

  /** A view: its values are those of the moment in which they are read. */
  Map<MetricName, ? extends Metric> all() {
    return metrics.metrics();
  }

  @Override
  public void close() {
    metrics.close();
  }
}
