package dev.millrace.client;

/**
 * What a producer has done since it was opened.
 *
 * @param requestsSent repetitions included
 * @param requestsRepeated after the stream broke, or behind a refused request
 * @param duplicates requests that the hub had stored before it was asked again
 */
public record ProducerStatistics(
    long recordsDelivered,
    long recordsFailed,
    long requestsSent,
    long requestsRepeated,
    long duplicates,
    long reconnects) {}
