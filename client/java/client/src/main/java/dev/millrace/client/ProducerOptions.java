package dev.millrace.client;

import java.time.Duration;

/**
 * How a producer behaves; {@link #defaults} and the {@code with…} methods make one. Immutable.
 *
 * @param producerId a stable name: opening it fences whoever used it before. Empty: the hub makes one up
 * @param idempotent number the requests, so that a repeated one is stored once. Without it, what has no
 *     answer when the stream breaks fails and may or may not be stored
 * @param linger how long a record waits for company
 * @param batchBytes a request is sent when it holds so many
 * @param batchRecords or so many records
 * @param maxInFlightRequests sent and not answered; the hub's own window bounds it
 * @param maxBufferedBytes accepted and not answered; a send waits at this bound
 * @param maxBlock how long a send waits at the bound, and opening a producer for the hub
 * @param deliveryTimeout from send to answer; then the record fails with DELIVERY_TIMEOUT and, if it was
 *     on its way, may be stored all the same
 */
public record ProducerOptions(
    String producerId,
    boolean idempotent,
    Durability durability,
    Duration linger,
    int batchBytes,
    int batchRecords,
    int maxInFlightRequests,
    long maxBufferedBytes,
    Duration maxBlock,
    Duration deliveryTimeout) {

  public static ProducerOptions defaults() {
    return new ProducerOptions(
        "", true, Durability.HUB_DEFAULT, Duration.ofMillis(2), 256 << 10, 10_000, 16, 64L << 20,
        Duration.ofMinutes(1), Duration.ofMinutes(2));
  }

  public ProducerOptions withProducerId(String id) {
    return new ProducerOptions(
        id, idempotent, durability, linger, batchBytes, batchRecords, maxInFlightRequests,
        maxBufferedBytes, maxBlock, deliveryTimeout);
  }

  public ProducerOptions withIdempotent(boolean numbered) {
    return new ProducerOptions(
        producerId, numbered, durability, linger, batchBytes, batchRecords, maxInFlightRequests,
        maxBufferedBytes, maxBlock, deliveryTimeout);
  }

  public ProducerOptions withDurability(Durability promised) {
    return new ProducerOptions(
        producerId, idempotent, promised, linger, batchBytes, batchRecords, maxInFlightRequests,
        maxBufferedBytes, maxBlock, deliveryTimeout);
  }

  public ProducerOptions withBatching(Duration newLinger, int bytes) {
    return new ProducerOptions(
        producerId, idempotent, durability, newLinger, bytes, batchRecords, maxInFlightRequests,
        maxBufferedBytes, maxBlock, deliveryTimeout);
  }

  public ProducerOptions withMaxInFlightRequests(int requests) {
    return new ProducerOptions(
        producerId, idempotent, durability, linger, batchBytes, batchRecords, requests,
        maxBufferedBytes, maxBlock, deliveryTimeout);
  }

  public ProducerOptions withBuffer(long bytes, Duration newMaxBlock) {
    return new ProducerOptions(
        producerId, idempotent, durability, linger, batchBytes, batchRecords, maxInFlightRequests,
        bytes, newMaxBlock, deliveryTimeout);
  }

  public ProducerOptions withDeliveryTimeout(Duration timeout) {
    return new ProducerOptions(
        producerId, idempotent, durability, linger, batchBytes, batchRecords, maxInFlightRequests,
        maxBufferedBytes, maxBlock, timeout);
  }
}
