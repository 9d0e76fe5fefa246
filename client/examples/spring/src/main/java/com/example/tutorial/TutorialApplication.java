package com.example.tutorial;

import org.apache.kafka.clients.admin.NewTopic;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.config.TopicBuilder;

@SpringBootApplication
public class TutorialApplication {
  static final String TOPIC = "my-topic";

  public static void main(String[] arguments) {
    SpringApplication.run(TutorialApplication.class, arguments);
  }

  /** Made when the application starts, unless it is there. */
  @Bean
  NewTopic topic() {
    return TopicBuilder.name(TOPIC).partitions(3).build();
  }
}
