package dev.millrace.kafka;

import java.lang.reflect.Constructor;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.AlterConfigsResult;
import org.apache.kafka.clients.admin.CreatePartitionsResult;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DeleteTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.DescribeConfigsResult;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.ListTopicsResult;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Makes the results that Kafka's {@code Admin} answers, four of which have constructors that kafka-clients
 * keeps to its own package.
 *
 * <p>These four are opened by reflection, all of them here. The other ways cost more: a KafkaAdmin subclass
 * cannot do it, since its {@code initialize} is final and takes these very results apart, and would help
 * nobody who uses {@code Admin} without Spring; classes of ours in Kafka's package would split it, which
 * modules forbid and signed jars refuse. Reflection breaks no rule: kafka-clients is an automatic module, and
 * those open all their packages. A version that changes a constructor fails the tests, and says so here.
 */
final class AdminResults {
  private static final Constructor<DescribeClusterResult> DESCRIBE_CLUSTER =
      open(DescribeClusterResult.class, KafkaFuture.class, KafkaFuture.class, KafkaFuture.class, KafkaFuture.class);
  private static final Constructor<ListTopicsResult> LIST_TOPICS = open(ListTopicsResult.class, KafkaFuture.class);
  private static final Constructor<CreatePartitionsResult> CREATE_PARTITIONS =
      open(CreatePartitionsResult.class, Map.class);
  private static final Constructor<AlterConfigsResult> ALTER_CONFIGS = open(AlterConfigsResult.class, Map.class);

  private AdminResults() {}

  /** A future of what the supplier gives or throws. It is asked now. */
  static <T> KafkaFuture<T> future(Supplier<T> value) {
    try {
      return KafkaFuture.completedFuture(value.get());
    } catch (RuntimeException error) {
      return KafkaFuture.<T>completedFuture(null)
          .thenApply(
              any -> {
                throw error;
              });
    }
  }

  static DescribeClusterResult cluster(KafkaFuture<Node> node, KafkaFuture<String> id) {
    KafkaFuture<Collection<Node>> nodes = node.thenApply(Set::of);
    return make(DESCRIBE_CLUSTER, nodes, node, id, KafkaFuture.completedFuture(Set.of()));
  }

  static ListTopicsResult topics(KafkaFuture<Map<String, TopicListing>> topics) {
    return make(LIST_TOPICS, topics);
  }

  static CreatePartitionsResult partitions(Map<String, KafkaFuture<Void>> topics) {
    return make(CREATE_PARTITIONS, topics);
  }

  static AlterConfigsResult altered(Map<ConfigResource, KafkaFuture<Void>> resources) {
    return make(ALTER_CONFIGS, resources);
  }

  // Those whose constructors are protected, for subclasses to use.

  static final class Created extends CreateTopicsResult {
    Created(Map<String, KafkaFuture<TopicMetadataAndConfig>> topics) {
      super(topics);
    }
  }

  static final class Deleted extends DeleteTopicsResult {
    Deleted(Map<String, KafkaFuture<Void>> topics) {
      super(null, topics);
    }
  }

  static final class Described extends DescribeTopicsResult {
    Described(Map<String, KafkaFuture<TopicDescription>> topics) {
      super(null, topics);
    }
  }

  static final class Configs extends DescribeConfigsResult {
    Configs(Map<ConfigResource, KafkaFuture<org.apache.kafka.clients.admin.Config>> resources) {
      super(resources);
    }
  }

  private static <T> Constructor<T> open(Class<T> result, Class<?>... parameters) {
    try {
      Constructor<T> constructor = result.getDeclaredConstructor(parameters);
      constructor.setAccessible(true);
      return constructor;
    } catch (NoSuchMethodException changed) {
      throw new IllegalStateException(
          "This kafka-clients makes a " + result.getSimpleName() + " in another way than the adapter was built for.",
          changed);
    }
  }

  private static <T> T make(Constructor<T> constructor, Object... arguments) {
    try {
      return constructor.newInstance(arguments);
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
