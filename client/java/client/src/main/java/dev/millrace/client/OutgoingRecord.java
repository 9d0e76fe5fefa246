package dev.millrace.client;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

/**
 * A record to be sent.
 *
 * @param key decides the partition where none is named; null: no key, empty is a key
 * @param value what happened, in any encoding; null is a tombstone: the key is gone
 * @param headers in order; empty: none
 * @param eventTime when it happened; null: not said
 */
public record OutgoingRecord(byte[] key, byte[] value, List<Header> headers, Instant eventTime) {
  public OutgoingRecord {
    headers = headers == null ? List.of() : headers;
  }

  public static OutgoingRecord of(byte[] key, byte[] value) {
    return new OutgoingRecord(key, value, List.of(), null);
  }

  /** Of texts, as UTF-8; null is absent. */
  public static OutgoingRecord of(String key, String value) {
    return of(bytes(key), bytes(value));
  }

  private static byte[] bytes(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }
}
