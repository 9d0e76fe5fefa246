package com.example.tutorial;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/** Hands every message of the topic to the pages: the consumer. Its group is in application.yml. */
@Component
class MessageListener {
  private final Broadcast broadcast;

  MessageListener(Broadcast broadcast) {
    this.broadcast = broadcast;
  }

  @KafkaListener(topics = TutorialApplication.TOPIC)
  void receive(String message) {
    broadcast.send(message);
  }
}
