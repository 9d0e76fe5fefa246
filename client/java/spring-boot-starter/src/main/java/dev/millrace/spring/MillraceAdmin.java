package dev.millrace.spring;

import dev.millrace.kafka.MillraceKafkaAdmin;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.springframework.kafka.core.KafkaAdmin;

/**
 * spring-kafka's own admin, which makes the application's {@code NewTopic} beans at its start, over a hub.
 * Configured with the properties of a Kafka admin; {@code bootstrap.servers} is the hub's HOST:PORT. What a hub
 * knows of an admin's calls is told in the README of {@code kafka-adapter}.
 */
public class MillraceAdmin extends KafkaAdmin {

  public MillraceAdmin(Map<String, Object> configs) {
    super(configs);
  }

  /** For one use: the caller closes it. */
  @Override
  protected Admin createAdmin() {
    return new MillraceKafkaAdmin(getAdminConfig());
  }
}
