package dev.millrace.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A bearer token that says who the client is, asked for anew for every call and every stream, so that it can be
 * replaced at any time. Threads: any.
 */
@FunctionalInterface
public interface TokenSource {

  /**
   * The token of this moment; white space around it is left out. May wait, but not for long: a call waits for
   * it. A call for which it throws fails as UNAVAILABLE, and is tried again as if the hub was away.
   */
  String token() throws IOException;

  /**
   * Its connection is closed, maybe for the second time; a call that has begun may still ask for a token.
   * Whoever gives one source to several connections gives them {@code source::token}, and closes it himself.
   */
  default void close() {}

  /** What the file holds, without white space around it. */
  static TokenSource ofFile(Path file) {
    return () -> {
      try {
        return Files.readString(file);
      } catch (IOException unreadable) {
        throw new IOException("Cannot read the token file " + file + ": " + unreadable.getMessage(), unreadable);
      }
    };
  }
}
