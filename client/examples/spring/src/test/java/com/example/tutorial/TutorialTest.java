package com.example.tutorial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.spring.test.EmbeddedMillrace;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;

/** An integration test as an application would have it: the real application on a hub of its own. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@EmbeddedMillrace
class TutorialTest {
  private final HttpClient http = HttpClient.newHttpClient();

  @LocalServerPort int port;

  @Test
  void whatIsPostedComesByWebSocket() throws Exception {
    BlockingQueue<String> received = new LinkedBlockingQueue<>();
    WebSocket page = http.newWebSocketBuilder()
        .buildAsync(URI.create("ws://localhost:" + port + "/live"), new WebSocket.Listener() {
          @Override
          public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
            received.add(text.toString());
            return WebSocket.Listener.super.onText(socket, text, last);
          }
        }).join();
    assertThat(post("{\"text\": \"tea is ready\"}")).isEqualTo(204);
    assertThat(received.poll(30, TimeUnit.SECONDS)).isEqualTo("tea is ready");
    page.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
  }

  @Test
  void whatIsNoMessageIsRefused() throws Exception {
    assertThat(post("{\"text\": \" \"}")).isEqualTo(400);
    assertThat(post("{}")).isEqualTo(400);
    assertThat(post("nonsense")).isEqualTo(400);
  }

  private int post(String json) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/messages"))
        .header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(json)).build();
    return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }
}
