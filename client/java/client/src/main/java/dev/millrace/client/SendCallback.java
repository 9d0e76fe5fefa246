package dev.millrace.client;

/** Told what became of a record. */
@FunctionalInterface
public interface SendCallback {
  /**
   * Called once, on a thread of the producer, in the order in which requests were sent: it must not
   * block, nor flush or close the producer.
   *
   * @param partition where it is stored; -1: see {@link Delivery}, or with an error
   * @param offset likewise
   * @param error null: it is stored
   */
  void onCompletion(int partition, long offset, MillraceException error);
}
