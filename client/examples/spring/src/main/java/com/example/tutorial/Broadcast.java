package com.example.tutorial;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import org.springframework.web.socket.CloseStatus;
import org.springframework.web.socket.TextMessage;
import org.springframework.web.socket.WebSocketSession;
import org.springframework.web.socket.handler.ConcurrentWebSocketSessionDecorator;
import org.springframework.web.socket.handler.TextWebSocketHandler;

/** The pages that are open now. Safe for use by many threads. */
@Component
class Broadcast extends TextWebSocketHandler {
  private static final Logger log = LoggerFactory.getLogger(Broadcast.class);
  private static final int SEND_TIMEOUT_MS = 5_000;
  private static final int BUFFER_BYTES = 512 * 1024;

  private final Map<String, WebSocketSession> pages = new ConcurrentHashMap<>();

  void send(String text) {
    for (WebSocketSession page : pages.values()) {
      try {
        page.sendMessage(new TextMessage(text));
      } catch (IOException | RuntimeException gone) { // One page that is gone or too slow is no other's concern.
        log.debug("No longer sending to {}", page.getId(), gone);
        pages.remove(page.getId());
      }
    }
  }

  @Override
  public void afterConnectionEstablished(WebSocketSession page) {
    pages.put(page.getId(), new ConcurrentWebSocketSessionDecorator(page, SEND_TIMEOUT_MS, BUFFER_BYTES));
  }

  @Override
  public void afterConnectionClosed(WebSocketSession page, CloseStatus status) {
    pages.remove(page.getId());
  }
}
