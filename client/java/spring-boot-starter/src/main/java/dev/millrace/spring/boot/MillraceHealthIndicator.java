package dev.millrace.spring.boot;

import dev.millrace.client.Connection;
import dev.millrace.client.ConnectionOptions;
import java.time.Duration;
import millrace.v1.HubInfo;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up while the hub answers within two seconds; tells where it is, its version and its engine. Owns a connection,
 * which stays open between two looks. Safe for use by many threads.
 */
public class MillraceHealthIndicator extends AbstractHealthIndicator implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(2); // Who asks, a kubelet say, waits hardly longer.

  private final Connection connection;

  /** @param hub how it is reached; the time that a call may take is this class's own */
  public MillraceHealthIndicator(ConnectionOptions hub) {
    super("The hub does not answer");
    connection = Connection.to(hub.withRequestTimeout(TIMEOUT));
  }

  @Override
  protected void doHealthCheck(Health.Builder health) {
    health.withDetail("target", connection.target());
    HubInfo hub = connection.hub();
    health.up().withDetail("version", hub.getVersion()).withDetail("engine", hub.getEngine());
  }

  @Override
  public void close() {
    connection.close();
  }
}
