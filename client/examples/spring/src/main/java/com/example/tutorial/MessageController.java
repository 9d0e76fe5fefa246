package com.example.tutorial;

import java.util.concurrent.CompletableFuture;
import org.springframework.http.HttpStatus;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** Takes messages from the page: the producer. */
@RestController
class MessageController {

  record Message(String text) {}

  private final KafkaTemplate<String, String> kafka;

  MessageController(KafkaTemplate<String, String> kafka) {
    this.kafka = kafka;
  }

  /** Answers as soon as the message is stored. */
  @PostMapping("/messages")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  CompletableFuture<Void> send(@RequestBody Message message) {
    if (message.text() == null || message.text().isBlank()) {
      throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "a message needs a text");
    }
    return kafka.send(TutorialApplication.TOPIC, message.text()).thenAccept(stored -> {});
  }
}
