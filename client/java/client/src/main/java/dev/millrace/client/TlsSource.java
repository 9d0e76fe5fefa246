package dev.millrace.client;

import java.io.IOException;
import java.security.GeneralSecurityException;

/**
 * Where connections take their certificates from; told to a person by its {@code toString}. Threads: any.
 */
public interface TlsSource {

  /** What is there now. What it throws tells a person which file is wrong. */
  TlsMaterial read() throws IOException, GeneralSecurityException;

  /**
   * Equal for as long as {@link #read} would give the same: looked at once a second, so it must be cheap. Does
   * not throw.
   */
  Object version();
}
