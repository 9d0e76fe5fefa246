package dev.millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Where a token may go without TLS. No hub is needed: a connection is made before it connects. */
class ExposedTokenTest {
  private static final class Source implements TokenSource {
    final AtomicInteger closes = new AtomicInteger();

    @Override
    public String token() {
      return "secret";
    }

    @Override
    public void close() {
      closes.incrementAndGet();
    }
  }

  private static ConnectionOptions withToken(String target) {
    return ConnectionOptions.to(target).withToken(() -> "secret");
  }

  @Test
  void aTokenGoesToThisMachineInClear() {
    List<String> here =
        List.of(
            "localhost:9640", "localhost", "LocalHost:9640", "127.0.0.1:9640", "127.1.2.3:9640", "[::1]:9640",
            "[::1]");
    for (String target : here) Connection.to(withToken(target)).close();
    assertFalse(withToken("unix:///run/hub.sock").exposesToken());
  }

  @Test
  void aTokenIsNotSentElsewhereInClearUnasked() {
    List<String> elsewhere =
        List.of(
            "hub.example:9640", "10.0.0.1:9640", "128.0.0.1:9640", "[::2]:9640", "[::1].example:9640", "0.0.0.0:9640",
            "localhost.example:9640", "127.0.0.1.example:9640", "127.example:9640", "localhost:80@hub.example",
            "localhost://hub.example:9640", "dns:///hub.example:9640", "localhost:9640\n", "");
    for (String target : elsewhere) {
      ConnectionOptions options = withToken(target);
      assertTrue(options.exposesToken(), target);
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> Connection.to(options), target);
      assertTrue(refused.getMessage().contains("use TLS, or ask for it with withTokenInClear"), refused.getMessage());
    }
  }

  @Test
  void aTokenGoesAnywhereByTlsOrWhereAskedFor() {
    Connection.to(ConnectionOptions.to("hub.example:9640").withTokenInClear(() -> "secret")).close();
    Connection.to(withToken("hub.example:9640").withTls(TlsOptions.ofFiles(null, null, null))).close();
  }

  @Test
  void withoutATokenNothingIsRefused() {
    Connection.to("hub.example:9640").close();
  }

  @Test
  void aSourceIsClosedWithItsConnectionAndWhereThereIsNone() {
    Source source = new Source();
    Connection connection = Connection.to(ConnectionOptions.to("localhost:1").withToken(source));
    assertEquals(0, source.closes.get());
    connection.close();
    assertEquals(1, source.closes.get());
    ConnectionOptions refused = ConnectionOptions.to("hub.example:1").withToken(source);
    assertThrows(IllegalArgumentException.class, () -> Connection.to(refused));
    assertEquals(2, source.closes.get());
  }
}
