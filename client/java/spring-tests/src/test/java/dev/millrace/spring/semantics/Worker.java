package dev.millrace.spring.semantics;

import java.util.concurrent.CountDownLatch;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;

/** One instance of {@link SharedGroupTest}'s application, which notes in a topic what it has handled. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Worker {
  /** Its handling never ends in the first instance that gets it. */
  static final String HANG = "hang";
  static final String HANGS = "hangs";

  private final String instance;
  private final KafkaTemplate<String, String> template;
  private final ConsumerFactory<String, String> consumers;

  Worker(@Value("${instance}") String instance, KafkaTemplate<String, String> template,
      ConsumerFactory<String, String> consumers) {
    this.instance = instance;
    this.template = template;
    this.consumers = consumers;
  }

  public static void main(String[] arguments) {
    SpringApplication.run(Worker.class, arguments);
  }

  @KafkaListener(topics = "work", groupId = "workers")
  void work(String value) throws Exception {
    if (value.equals(HANG) && !hasHung()) {
      template.send("handled", instance + " " + HANGS).get();
      new CountDownLatch(1).await();
    }
    template.send("handled", instance + " " + value).get();
  }

  private boolean hasHung() {
    return StoredRecords.values(consumers, "handled").stream().anyMatch(handled -> handled.endsWith(HANGS));
  }
}
