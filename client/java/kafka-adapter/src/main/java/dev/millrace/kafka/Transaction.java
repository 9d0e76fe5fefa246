package dev.millrace.kafka;

import dev.millrace.client.Append;
import dev.millrace.client.Connection;
import dev.millrace.client.Durability;
import dev.millrace.client.Member;
import dev.millrace.client.MillraceException;
import dev.millrace.client.OffsetCommit;
import dev.millrace.client.OutgoingRecord;
import dev.millrace.client.Reason;
import dev.millrace.client.Transactor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import millrace.v1.Limits;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * A transactional producer's transactions, one after the other. Records and offsets collect here, and
 * commitTransaction stores them by one Transact call: until then the hub knows nothing of them, so that an
 * abort, or a crash, leaves nothing behind, and readers never see a part.
 *
 * <p>Threads: one at a time, see {@link MillraceKafkaProducer}.
 */
final class Transaction {
  private static final int REQUEST_OVERHEAD_BYTES = 1 << 10;
  private static final int RECORD_OVERHEAD_BYTES = 32; // Tags, lengths and the time of a record.

  private enum State { UNINITIALIZED, READY, OPEN, TO_BE_ABORTED, IN_DOUBT, FENCED }

  private final String id;
  private final Durability durability;
  private final Duration timeout;
  private State state = State.UNINITIALIZED;
  private RuntimeException error; // Why it is to be aborted, or nothing more can be done.
  private Transactor transactor;
  private Limits limits;

  private final Map<TopicPartition, List<OutgoingRecord>> appends = new LinkedHashMap<>();
  private final Map<TopicPartition, OffsetCommit> offsets = new LinkedHashMap<>();
  private Member member;
  private long bytes;
  private int records;

  Transaction(String id, Durability durability, Duration timeout) {
    this.id = id;
    this.durability = durability;
    this.timeout = timeout;
  }

  void init(Connection connection) {
    if (state != State.UNINITIALIZED) throw wrongState("initTransactions");
    try {
      limits = connection.hub().getLimits();
      transactor = Transactor.open(connection, id, durability, timeout);
    } catch (MillraceException failed) {
      throw KafkaErrors.of(failed);
    }
    state = State.READY;
  }

  void begin() {
    if (state != State.READY) throw wrongState("beginTransaction");
    state = State.OPEN;
  }

  /** Takes a record in; one that makes the transaction too large leaves only an abort. */
  void add(TopicPartition partition, OutgoingRecord record, int size) {
    if (state == State.TO_BE_ABORTED) {
      throw new KafkaException("The transaction has failed: abort it.", error);
    }
    requireOpen("send");
    bytes += size + RECORD_OVERHEAD_BYTES;
    records++;
    long mostBytes = limits.getMaxRequestBytes() - REQUEST_OVERHEAD_BYTES;
    if (bytes > mostBytes || records > limits.getMaxRequestRecords()) {
      RecordTooLargeException tooLarge =
          new RecordTooLargeException(
              "A transaction is one request: it may hold " + mostBytes + " bytes and "
                  + limits.getMaxRequestRecords() + " records (the hub's --max-request-bytes and "
                  + "--max-request-records), and this record is beyond. Abort it, and make it smaller.");
      abortOnly(tooLarge);
      throw tooLarge;
    }
    appends.computeIfAbsent(partition, any -> new ArrayList<>()).add(record);
  }

  /** A record of it could not be taken in. */
  void abortOnly(RuntimeException cause) {
    if (state != State.OPEN) return;
    state = State.TO_BE_ABORTED;
    error = cause;
  }

  void sendOffsets(Map<TopicPartition, OffsetAndMetadata> committed, ConsumerGroupMetadata group) {
    requireOpen("sendOffsetsToTransaction");
    Member asked = new Member(group.groupId(), group.memberId(), Math.max(0, group.generationId()));
    if (member != null && !member.group().equals(asked.group())) {
      throw new UnsupportedOperationException(
          "A transaction commits the offsets of one group, and this one has those of " + member.group());
    }
    member = asked;
    committed.forEach(
        (partition, offset) ->
            offsets.put(
                partition,
                new OffsetCommit(
                    new dev.millrace.client.TopicPartition(partition.topic(), partition.partition()),
                    offset.offset(),
                    offset.metadata())));
  }

  void commit() {
    if (state == State.IN_DOUBT) {
      store();
      return;
    }
    requireOpen("commitTransaction");
    store();
  }

  private void store() {
    try {
      if (state == State.IN_DOUBT) transactor.settle();
      else transactor.transact(appendList(), member, List.copyOf(offsets.values()));
    } catch (MillraceException failed) {
      throw refused(failed);
    }
    finish();
  }

  private RuntimeException refused(MillraceException failed) {
    KafkaException told = KafkaErrors.of(failed);
    error = told;
    if (transactor.inDoubt()) state = State.IN_DOUBT;
    else if (told instanceof ProducerFencedException || failed.is(Reason.PRODUCER_UNKNOWN)) state = State.FENCED;
    else state = State.TO_BE_ABORTED;
    boolean asItIs = told instanceof CommitFailedException || state != State.TO_BE_ABORTED;
    return asItIs ? told : new KafkaException("The transaction was refused, and nothing of it is stored.", told);
  }

  private List<Append> appendList() {
    List<Append> list = new ArrayList<>();
    appends.forEach((partition, some) -> list.add(new Append(partition.topic(), partition.partition(), some)));
    return list;
  }

  void abort() {
    switch (state) {
      case OPEN, TO_BE_ABORTED -> finish();
      case IN_DOUBT ->
          throw new KafkaException(
              "The hub did not answer whether the transaction is stored: commit again, or close the producer.", error);
      default -> throw wrongState("abortTransaction");
    }
  }

  private void finish() {
    appends.clear();
    offsets.clear();
    member = null;
    error = null;
    bytes = 0;
    records = 0;
    state = State.READY;
  }

  private void requireOpen(String method) {
    if (state == State.TO_BE_ABORTED) throw new KafkaException("The transaction has failed: abort it.", error);
    if (state != State.OPEN) throw wrongState(method);
  }

  private RuntimeException wrongState(String method) {
    if (state == State.FENCED) return error;
    return new IllegalStateException(
        "Cannot call " + method + " on the transactional producer " + id + ", which is " + state + ".");
  }
}
