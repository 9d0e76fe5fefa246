package dev.millrace.client;

/** Why a partition goes on elsewhere. */
public enum RepositionCause {
  UNSPECIFIED,
  SEEK,
  /** Somebody reset the offsets of the group. */
  RESET,
  OUT_OF_RANGE,
  /** The log no longer holds what was read: reading goes on where the group stands. */
  LOG_REPLACED;

  static RepositionCause of(millrace.v1.RepositionCause cause) {
    return switch (cause) {
      case REPOSITION_CAUSE_SEEK -> SEEK;
      case REPOSITION_CAUSE_RESET -> RESET;
      case REPOSITION_CAUSE_OUT_OF_RANGE -> OUT_OF_RANGE;
      default -> UNSPECIFIED;
    };
  }
}
