package dev.millrace.kafka;

import dev.millrace.client.Admin;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import millrace.v1.Topic;

/** The topics that a pattern matches, looked up again every {@code metadata.max.age.ms}. */
final class PatternTopics {
  /** While nothing matches, and there is nothing else to do. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final Admin admin;
  private final Predicate<String> matches;
  private final Duration maxAge;
  private Set<String> topics = Set.of();
  private long lookAt = System.nanoTime();

  PatternTopics(Admin admin, Pattern pattern, Duration maxAge) {
    this.admin = admin;
    this.maxAge = maxAge;
    matches = pattern.asMatchPredicate();
  }

  /** Looks again if it is time to; whether other topics match than before. */
  boolean refresh() {
    long now = System.nanoTime();
    if (now - lookAt < 0) return false;
    Set<String> found = new TreeSet<>();
    for (Topic topic : admin.listTopics()) {
      if (matches.test(topic.getName())) found.add(topic.getName());
    }
    boolean soon = found.isEmpty() && maxAge.compareTo(LOOK_AGAIN) > 0;
    lookAt = now + (soon ? LOOK_AGAIN : maxAge).toNanos();
    boolean changed = !found.equals(topics);
    topics = found;
    return changed;
  }

  Set<String> topics() {
    return topics;
  }
}
