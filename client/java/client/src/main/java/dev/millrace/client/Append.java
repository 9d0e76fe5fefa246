package dev.millrace.client;

import java.util.List;

/**
 * Records that a transaction appends to one topic.
 *
 * @param partition -1: each record is placed by its key
 */
public record Append(String topic, int partition, List<OutgoingRecord> records) {}
