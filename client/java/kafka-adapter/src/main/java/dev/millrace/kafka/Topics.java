package dev.millrace.kafka;

import dev.millrace.client.Admin;
import dev.millrace.client.MillraceException;
import dev.millrace.client.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import millrace.v1.HubInfo;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * How many partitions topics have, remembered for {@code metadata.max.age.ms}; and the hub as the one node
 * of a cluster.
 *
 * <p>Threads: any.
 */
final class Topics {
  /** So long a topic that is about to be created by its first record counts as having its partitions. */
  private static final Duration CREATION = Duration.ofSeconds(1);

  private record Known(int partitions, Cluster cluster, long until) {}

  private final Admin admin;
  private final Node node;
  private final Duration maxAge;
  private final Map<String, Known> known = new ConcurrentHashMap<>();
  private volatile HubInfo hub;

  Topics(Admin admin, String target, Duration maxAge) {
    this.admin = admin;
    this.maxAge = maxAge;
    node = node(target);
  }

  /** The hub as a node. */
  static Node node(String target) {
    int colon = target.lastIndexOf(':');
    return new Node(0, target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
  }

  /** A partition of the hub's: it leads, and is the only replica. */
  static PartitionInfo partition(String topic, int partition, Node node) {
    Node[] nodes = {node};
    return new PartitionInfo(topic, partition, node, nodes, nodes);
  }

  static List<PartitionInfo> partitions(String topic, int count, Node node) {
    List<PartitionInfo> partitions = new ArrayList<>(count);
    for (int i = 0; i < count; i++) partitions.add(partition(topic, i, node));
    return partitions;
  }

  /** The number of partitions, or how many it will get by its first record where the hub creates topics. */
  int count(String topic) {
    return find(topic).partitions;
  }

  Cluster cluster(String topic) {
    return find(topic).cluster;
  }

  List<PartitionInfo> partitions(String topic) {
    return partitions(topic, count(topic), node);
  }

  /** What is remembered of a topic was wrong. */
  void forget(String topic) {
    known.remove(topic);
  }

  HubInfo hub() {
    HubInfo found = hub;
    if (found == null) hub = found = admin.hub();
    return found;
  }

  private Known find(String topic) {
    Known found = known.get(topic);
    if (found != null && System.nanoTime() - found.until < 0) return found;
    Known asked = ask(topic);
    known.put(topic, asked);
    return asked;
  }

  private Known ask(String topic) {
    try {
      return remembered(topic, admin.describeTopic(topic).getTopic().getPartitionCount(), maxAge);
    } catch (MillraceException error) {
      if (!error.is(Reason.TOPIC_NOT_FOUND)) throw error;
      int created = hub().getAutoCreatePartitions();
      if (created > 0) return remembered(topic, created, CREATION);
      throw new UnknownTopicOrPartitionException(
          "Topic " + topic + " does not exist, and the hub creates none by itself: create it, or start the hub "
              + "with --auto-create-topics (dead-letter and retry topics rely on it)",
          error);
    }
  }

  private Known remembered(String topic, int count, Duration age) {
    Cluster cluster =
        new Cluster(hub().getHubId(), List.of(node), partitions(topic, count, node), Set.of(), Set.of());
    return new Known(count, cluster, System.nanoTime() + age.toNanos());
  }
}
