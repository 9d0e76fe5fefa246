package dev.millrace.client;

/**
 * Who commits for a group.
 *
 * @param memberId as the session names it; empty: nobody in particular, which only a group without
 *     members allows
 * @param memberEpoch goes with it
 */
public record Member(String group, String memberId, int memberEpoch) {
  public static Member outside(String group) {
    return new Member(group, "", 0);
  }
}
