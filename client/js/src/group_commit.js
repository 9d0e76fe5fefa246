// What a member of a group says of its partitions: how far it has come, and which it gives up.

import { fromRequestError } from "./error.js";
import { int64 } from "./protocol.js";

/**
 * Commits `record`, or all that was handed out. A partition that is being revoked is released with the
 * commit that covers what was handed out of it. Resolves with [{topic, partition, committedNextOffset, error}].
 */
export async function groupCommit(commands, group, session, readings, record) {
  const offsets = record ? [offsetOf(record)] : [...readings].filter(isUncommitted).map(offsetOfReturned);
  const released = [...readings].filter((reading) => isDone(reading, offsets)).map(({ name }) => name);
  if (offsets.length === 0 && released.length === 0) return [];
  for (const { topic, partition, nextOffset } of offsets) {
    const reading = readings.find({ topic, partition });
    if (reading && nextOffset > reading.commitAsked) reading.commitAsked = nextOffset;
  }
  const { results = [] } = await commands.request("commit", { ...member(group, session), offsets, released });
  return results.map((result) => onResult(readings, result));
}

/** Gives up the partitions that are being revoked and of which nothing waits for a commit. */
export function releaseWhatIsDone(commands, group, session, readings) {
  const released = [...readings].filter((reading) => isDone(reading, [])).map(({ name }) => name);
  if (released.length > 0) commands.tell("commit", { ...member(group, session), released });
}

/** Gives up all partitions, and the place in the group. */
export function leaveGroup(commands, group, session) {
  commands.tell("commit", { ...member(group, session), leave: true });
}

function member(group, { memberId, memberEpoch }) {
  return { group, memberId, memberEpoch };
}

/** Whether something was handed out that the group has not committed, as far as is known. */
export function hasUncommitted(readings) {
  return [...readings].some(isUncommitted);
}

function isUncommitted({ returned, committed }) {
  return returned !== undefined && returned.offset !== committed;
}

function offsetOf({ topic, partition, offset, positionEpoch }) {
  return { topic, partition, nextOffset: offset + 1n, positionEpoch };
}

function offsetOfReturned({ topic, partition, returned, positionEpoch }) {
  return { topic, partition, nextOffset: returned.offset, positionEpoch };
}

function isDone({ topic, partition, revoking, returned, committed }, offsets) {
  if (!revoking) return false;
  const offered = offsets.find((offset) => offset.topic === topic && offset.partition === partition);
  return returned.offset === (offered?.nextOffset ?? committed);
}

function onResult(readings, { topic = "", partition = 0, committedNextOffset, error }) {
  const result = { topic, partition };
  if (committedNextOffset !== undefined) result.committedNextOffset = int64(committedNextOffset);
  if (error !== undefined) result.error = fromRequestError(error);
  const reading = readings.find({ topic, partition });
  if (reading?.received && !error && result.committedNextOffset !== undefined) {
    reading.committed = result.committedNextOffset;
  }
  return result;
}
