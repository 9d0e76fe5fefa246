package dev.millrace.spring.boot;

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * Where the hub is. A bean of this type takes the place of {@code millrace.target}; tests and service bindings
 * give one.
 */
@FunctionalInterface
public interface MillraceConnectionDetails extends ConnectionDetails {

  /** HOST:PORT of the hub's gRPC port. */
  String getTarget();
}
