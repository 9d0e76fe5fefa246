package dev.millrace.spring.semantics;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Every test waits for what shall happen as long as a busy machine may need. Found by JUnit itself. */
public class Patience implements BeforeAllCallback {
  private static final Duration MOST = Duration.ofMinutes(1);

  @Override
  public void beforeAll(ExtensionContext context) {
    Awaitility.setDefaultTimeout(MOST);
  }
}
