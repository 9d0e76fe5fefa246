package dev.millrace.client;

/**
 * Where a record was stored.
 *
 * @param partition -1: stored, but so often repeated that the hub no longer knows where
 * @param offset -1: likewise
 */
public record Delivery(int partition, long offset) {}
