package dev.millrace.client;

/**
 * A named value beside a record's own.
 *
 * @param value any bytes; null is told apart from empty. Not copied: leave it as it is.
 */
public record Header(String name, byte[] value) {}
