package dev.millrace.spring.semantics;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Why something failed, down to the first cause. */
final class Causes {
  private Causes() {}

  static List<Throwable> of(Throwable error) {
    return Stream.iterate(error, Objects::nonNull, Throwable::getCause).toList();
  }
}
