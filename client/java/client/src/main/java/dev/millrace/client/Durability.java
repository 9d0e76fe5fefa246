package dev.millrace.client;

/** What an answer promises. */
public enum Durability {
  /** As the hub is configured: {@link #SYNCED} unless somebody changed it. */
  HUB_DEFAULT(millrace.v1.Durability.DURABILITY_UNSPECIFIED),
  /** Written to the log: survives a kill of the hub. A power cut may lose it. */
  BUFFERED(millrace.v1.Durability.DURABILITY_BUFFERED),
  /** On stable storage before the answer. */
  SYNCED(millrace.v1.Durability.DURABILITY_SYNCED);

  private final millrace.v1.Durability message;

  Durability(millrace.v1.Durability message) {
    this.message = message;
  }

  millrace.v1.Durability toProto() {
    return message;
  }
}
