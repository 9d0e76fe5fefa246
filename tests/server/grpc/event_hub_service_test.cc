// The unary calls around producing and reading: producers, commits, offsets, controls of a stream.
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

using Metadata = std::map<std::string, std::string>;

class EventHubService : public ::testing::Test {
 protected:
  EventHubService() {
    hub_.CreateTopic("orders", 2);
    hub_.Produce("orders", 0, {"a", "b", "c"});
  }

  ErrorFacts Produce(const v1::ProduceRequest& request) {
    return FactsOf(hub_.events().Produce(NewContext().get(), request, &produced_));
  }
  ErrorFacts Open(const std::string& producer) {
    v1::OpenProducerRequest request;
    request.set_producer_id(producer);
    return FactsOf(hub_.events().OpenProducer(NewContext().get(), request, &opened_));
  }
  ErrorFacts Commit(const v1::CommitOffsetRequest& request) {
    return FactsOf(hub_.events().CommitOffset(NewContext().get(), request, &committed_));
  }
  ErrorFacts GetCommitted(const v1::GetCommittedOffsetsRequest& request) {
    return FactsOf(hub_.events().GetCommittedOffsets(NewContext().get(), request, &offsets_));
  }
  ErrorFacts List(const v1::ListOffsetsRequest& request) {
    return FactsOf(hub_.events().ListOffsets(NewContext().get(), request, &listed_));
  }
  ErrorFacts Seek(const v1::SeekRequest& request) {
    return FactsOf(hub_.events().Seek(NewContext().get(), request, &sought_));
  }
  ErrorFacts Pause(const v1::PausePartitionsRequest& request) {
    return FactsOf(hub_.events().PausePartitions(NewContext().get(), request, &paused_));
  }
  ErrorFacts Resume(const v1::ResumePartitionsRequest& request) {
    return FactsOf(hub_.events().ResumePartitions(NewContext().get(), request, &resumed_));
  }

  TestHub hub_;
  v1::ProduceResponse produced_;
  v1::OpenProducerResponse opened_;
  v1::CommitOffsetResponse committed_;
  v1::GetCommittedOffsetsResponse offsets_;
  v1::ListOffsetsResponse listed_;
  v1::SeekResponse sought_;
  v1::PausePartitionsResponse paused_;
  v1::ResumePartitionsResponse resumed_;
};

v1::ProduceRequest OneRecord(const std::string& topic = "orders") {
  v1::ProduceRequest request;
  request.set_topic(topic);
  request.set_partition(0);
  request.add_records()->set_value("x");
  return request;
}

v1::CommitOffsetRequest CommitOf(const std::string& group, int64_t next_offset) {
  v1::CommitOffsetRequest request;
  request.set_group(group);
  v1::OffsetCommit* commit = request.add_offsets();
  commit->set_topic("orders");
  commit->set_next_offset(next_offset);
  return request;
}

// ---- Produce, as far as its errors go

TEST_F(EventHubService, ProduceSaysWhatIsWrongWithARequest) {
  struct Case {
    const char* reason;
    grpc::StatusCode code;
    std::function<void(v1::ProduceRequest&)> change;
  };
  const std::string long_key(65'537, 'k');
  const std::vector<Case> cases = {
      {"TOPIC_NOT_FOUND", grpc::NOT_FOUND, [](auto& r) { r.set_topic("nothing"); }},
      {"INVALID_NAME", grpc::INVALID_ARGUMENT, [](auto& r) { r.set_topic("no name"); }},
      {"PARTITION_OUT_OF_RANGE", grpc::OUT_OF_RANGE, [](auto& r) { r.set_partition(2); }},
      {"PARTITION_OUT_OF_RANGE", grpc::OUT_OF_RANGE, [](auto& r) { r.set_partition(-1); }},
      {"EMPTY_REQUEST", grpc::INVALID_ARGUMENT, [](auto& r) { r.clear_records(); }},
      {"RECORD_TOO_LARGE", grpc::INVALID_ARGUMENT,
       [](auto& r) { r.add_records()->set_value(std::string((1 << 20) + 1, 'v')); }},
      {"RECORD_TOO_LARGE", grpc::INVALID_ARGUMENT,
       [&](auto& r) { r.add_records()->set_key(long_key); }},
      {"RECORD_TOO_LARGE", grpc::INVALID_ARGUMENT,
       [](auto& r) {
         for (int i = 0; i < 257; ++i) r.mutable_records(0)->add_headers()->set_name("h");
       }},
      {"BATCH_TOO_LARGE", grpc::INVALID_ARGUMENT,
       [](auto& r) {
         for (int i = 0; i < 100'001; ++i) r.add_records();
       }},
      {"BATCH_TOO_LARGE", grpc::INVALID_ARGUMENT,
       [](auto& r) {
         for (int i = 0; i < 5; ++i) r.add_records()->set_value(std::string(1'000'000, 'v'));
       }},
      {"EXPECTED_OFFSET_NEEDS_PARTITION", grpc::INVALID_ARGUMENT,
       [](auto& r) {
         r.clear_partition();
         r.set_expected_next_offset(0);
       }},
      {"UNEXPECTED_OFFSET", grpc::FAILED_PRECONDITION,
       [](auto& r) { r.set_expected_next_offset(2); }},
      {"INVALID_SEQUENCE", grpc::INVALID_ARGUMENT,
       [](auto& r) { r.mutable_sequence()->set_producer_id("p"); }},
      {"PRODUCER_UNKNOWN", grpc::FAILED_PRECONDITION,
       [](auto& r) {
         r.mutable_sequence()->set_producer_id("stranger");
         r.mutable_sequence()->set_epoch(1);
         r.mutable_sequence()->set_sequence(1);
       }},
      {"MALFORMED_REQUEST", grpc::INVALID_ARGUMENT,
       [](auto& r) { r.set_durability(static_cast<v1::Durability>(77)); }},
  };
  for (const Case& each : cases) {
    v1::ProduceRequest request = OneRecord();
    each.change(request);
    const ErrorFacts facts = Produce(request);
    EXPECT_EQ(facts.reason, each.reason);
    EXPECT_EQ(facts.code, each.code) << each.reason;
  }
  v1::ListOffsetsRequest ends;
  ends.set_topic("orders");
  ASSERT_EQ(List(ends).code, grpc::OK);
  EXPECT_EQ(listed_.partitions(0).latest_offset(), 3) << "something was stored";
}

TEST_F(EventHubService, ProduceTellsTheFactsOfARefusal) {
  v1::ProduceRequest request = OneRecord();
  request.add_records()->set_value(std::string((1 << 20) + 1, 'v'));
  EXPECT_EQ(Produce(request).metadata.at("record_index"), "1");
  request = OneRecord();
  request.set_expected_next_offset(1);
  EXPECT_EQ(Produce(request).metadata.at("next_offset"), "3");
}

// ---- Producers

TEST_F(EventHubService, AProducerIsFencedByItsNextEpochAndKeepsItsSequence) {
  ASSERT_EQ(Open("payments").code, grpc::OK);
  EXPECT_EQ(opened_.producer_id(), "payments");
  EXPECT_EQ(opened_.last_sequence(), 0);
  EXPECT_EQ(opened_.window(), 128);
  const int64_t first_epoch = opened_.epoch();

  v1::ProduceRequest request = OneRecord();
  request.mutable_sequence()->set_producer_id("payments");
  request.mutable_sequence()->set_epoch(first_epoch);
  request.mutable_sequence()->set_sequence(1);
  ASSERT_EQ(Produce(request).code, grpc::OK);
  EXPECT_FALSE(produced_.duplicate());
  EXPECT_EQ(produced_.appended(0).base_offset(), 3);
  ASSERT_EQ(Produce(request).code, grpc::OK);
  EXPECT_TRUE(produced_.duplicate());
  EXPECT_EQ(produced_.appended(0).base_offset(), 3);

  request.mutable_sequence()->set_sequence(3);
  ErrorFacts facts = Produce(request);
  EXPECT_EQ(facts.code, grpc::FAILED_PRECONDITION);
  EXPECT_EQ(facts.reason, "SEQUENCE_GAP");
  EXPECT_EQ(facts.metadata.at("expected_sequence"), "2");

  ASSERT_EQ(Open("payments").code, grpc::OK);
  EXPECT_GT(opened_.epoch(), first_epoch);
  EXPECT_EQ(opened_.last_sequence(), 1);
  request.mutable_sequence()->set_sequence(2);
  EXPECT_EQ(Produce(request).reason, "PRODUCER_FENCED");
}

TEST_F(EventHubService, AProducerWithoutANameGetsOne) {
  ASSERT_EQ(Open("").code, grpc::OK);
  const std::string made_up = opened_.producer_id();
  EXPECT_GE(made_up.size(), 16u);
  ASSERT_EQ(Open("").code, grpc::OK);
  EXPECT_NE(opened_.producer_id(), made_up);
  EXPECT_EQ(Open("no name").reason, "INVALID_NAME");
}

// ---- Commits

TEST_F(EventHubService, CommitsAreKeptWithTheirMetadata) {
  v1::CommitOffsetRequest request = CommitOf("audit", 2);
  request.mutable_offsets(0)->set_metadata("halfway");
  ASSERT_EQ(Commit(request).code, grpc::OK);
  ASSERT_EQ(committed_.results_size(), 1);
  EXPECT_EQ(committed_.results(0).topic(), "orders");
  EXPECT_EQ(committed_.results(0).committed_next_offset(), 2);
  EXPECT_FALSE(committed_.results(0).has_error());

  v1::GetCommittedOffsetsRequest all;
  all.set_group("audit");
  ASSERT_EQ(GetCommitted(all).code, grpc::OK);
  ASSERT_EQ(offsets_.offsets_size(), 1);
  EXPECT_EQ(offsets_.offsets(0).next_offset(), 2);
  EXPECT_EQ(offsets_.offsets(0).metadata(), "halfway");
  EXPECT_TRUE(offsets_.offsets(0).has_commit_time());
}

TEST_F(EventHubService, WhatIsNotCommittedIsAbsent) {
  v1::GetCommittedOffsetsRequest request;
  request.set_group("nobody");
  ASSERT_EQ(GetCommitted(request).code, grpc::OK);
  EXPECT_EQ(offsets_.offsets_size(), 0);
  v1::TopicPartition* partition = request.add_partitions();
  partition->set_topic("orders");
  partition->set_partition(1);
  ASSERT_EQ(GetCommitted(request).code, grpc::OK);
  ASSERT_EQ(offsets_.offsets_size(), 1);
  EXPECT_EQ(offsets_.offsets(0).partition(), 1);
  EXPECT_FALSE(offsets_.offsets(0).has_next_offset());

  partition->set_partition(2);
  EXPECT_EQ(GetCommitted(request).reason, "PARTITION_OUT_OF_RANGE");
  partition->set_topic("nothing");
  EXPECT_EQ(GetCommitted(request).reason, "TOPIC_NOT_FOUND");
  request.set_group("");
  EXPECT_EQ(GetCommitted(request).reason, "INVALID_NAME");
}

TEST_F(EventHubService, EachCommitIsJudgedByItself) {
  v1::CommitOffsetRequest request = CommitOf("audit", 1);
  const auto add = [&](const std::string& topic, int partition, int64_t offset) {
    v1::OffsetCommit* commit = request.add_offsets();
    commit->set_topic(topic);
    commit->set_partition(partition);
    commit->set_next_offset(offset);
    return commit;
  };
  add("nothing", 0, 0);
  add("orders", 7, 0);
  add("orders", 0, 4);
  add("orders", 1, -1);
  add("orders", 1, 0)->set_metadata(std::string(4097, 'm'));
  add("orders", 1, 0);
  ASSERT_EQ(Commit(request).code, grpc::OK);
  std::vector<std::string> reasons;
  for (const v1::CommitResult& result : committed_.results()) {
    reasons.push_back(result.error().reason());
    EXPECT_NE(result.has_error(), result.has_committed_next_offset());
  }
  EXPECT_EQ(reasons, (std::vector<std::string>{"", "TOPIC_NOT_FOUND", "PARTITION_OUT_OF_RANGE",
                                               "OFFSET_OUT_OF_RANGE", "OFFSET_OUT_OF_RANGE",
                                               "METADATA_TOO_LARGE", ""}));
  EXPECT_EQ(committed_.results(2).error().code(), grpc::OUT_OF_RANGE);
  EXPECT_EQ(committed_.results(2).partition(), 7);
}

TEST_F(EventHubService, AnOlderPositionEpochIsSuperseded) {
  v1::CommitOffsetRequest request = CommitOf("audit", 1);
  request.mutable_offsets(0)->set_position_epoch(5);
  ASSERT_EQ(Commit(request).code, grpc::OK);
  request.mutable_offsets(0)->set_position_epoch(4);
  request.mutable_offsets(0)->set_next_offset(3);
  ASSERT_EQ(Commit(request).code, grpc::OK);
  EXPECT_EQ(committed_.results(0).error().reason(), "SUPERSEDED");
  EXPECT_EQ(committed_.results(0).error().code(), grpc::ABORTED);
}

TEST_F(EventHubService, RefusesCommitsThatSayNothing) {
  v1::CommitOffsetRequest request;
  request.set_group("audit");
  EXPECT_EQ(Commit(request).reason, "EMPTY_REQUEST");
  request = CommitOf("no group", 1);
  EXPECT_EQ(Commit(request).reason, "INVALID_NAME");
  request = CommitOf("audit", 1);
  request.set_durability(static_cast<v1::Durability>(9));
  EXPECT_EQ(Commit(request).code, grpc::INVALID_ARGUMENT);
}

TEST_F(EventHubService, OnlyItsMemberCommitsForAGroup) {
  v1::SubscribeRequest subscribe;
  subscribe.add_topics("orders");
  subscribe.set_group("audit");
  Subscriber member(hub_, subscribe);
  ASSERT_NE(member.session().member_id(), "");

  const ErrorFacts facts = Commit(CommitOf("audit", 1));
  EXPECT_EQ(facts.code, grpc::FAILED_PRECONDITION);
  EXPECT_EQ(facts.reason, "GROUP_HAS_MEMBERS");

  v1::CommitOffsetRequest request = CommitOf("audit", 1);
  request.set_member_id("an-impostor");
  ASSERT_EQ(Commit(request).code, grpc::OK);
  EXPECT_EQ(committed_.results(0).error().reason(), "MEMBER_FENCED");

  request.set_member_id(member.session().member_id());
  request.set_member_epoch(member.session().member_epoch());
  ASSERT_EQ(Commit(request).code, grpc::OK);
  EXPECT_EQ(committed_.results(0).committed_next_offset(), 1);
}

// ---- Offsets

TEST_F(EventHubService, ListsOffsetsAlsoByTime) {
  v1::ListOffsetsRequest request;
  request.set_topic("orders");
  ASSERT_EQ(List(request).code, grpc::OK);
  EXPECT_EQ(listed_.log_epoch(), hub_.engine().log_epoch().value());
  ASSERT_EQ(listed_.partitions_size(), 2);
  EXPECT_EQ(listed_.partitions(0).earliest_offset(), 0);
  EXPECT_EQ(listed_.partitions(0).latest_offset(), 3);
  EXPECT_FALSE(listed_.partitions(0).has_offset_at_time());

  request.add_partitions(0);
  request.mutable_time()->set_seconds(1'000'000);
  ASSERT_EQ(List(request).code, grpc::OK);
  ASSERT_EQ(listed_.partitions_size(), 1);
  EXPECT_EQ(listed_.partitions(0).offset_at_time(), 0);
  request.mutable_time()->set_seconds(250'000'000'000);
  ASSERT_EQ(List(request).code, grpc::OK);
  EXPECT_EQ(listed_.partitions(0).offset_at_time(), 3);
}

TEST_F(EventHubService, RefusesOffsetsOfWhatIsNotThere) {
  v1::ListOffsetsRequest request;
  request.set_topic("nothing");
  EXPECT_EQ(List(request).reason, "TOPIC_NOT_FOUND");
  request.set_topic("orders");
  request.add_partitions(5);
  EXPECT_EQ(List(request).reason, "PARTITION_OUT_OF_RANGE");
  request.clear_partitions();
  request.mutable_time()->set_nanos(-1);
  const ErrorFacts facts = List(request);
  EXPECT_EQ(facts.reason, "INVALID_CONFIG");
  EXPECT_EQ(facts.fields, std::vector<std::string>{"time"});
}

// ---- Controls of a stream

v1::SubscribeRequest FromStart() {
  v1::SubscribeRequest request;
  request.add_topics("orders");
  request.mutable_start()->set_earliest(true);
  return request;
}

TEST_F(EventHubService, SeekMovesAPartitionAndRaisesItsEpoch) {
  Subscriber subscriber(hub_, FromStart());
  subscriber.NextOf(v1::SubscribeResponse::kCaughtUp);
  v1::SeekRequest request;
  request.set_session_id(subscriber.session_id());
  v1::SeekTarget* target = request.add_targets();
  target->set_topic("orders");
  target->set_offset(1);
  ASSERT_EQ(Seek(request).code, grpc::OK);
  ASSERT_EQ(sought_.results_size(), 1);
  EXPECT_EQ(sought_.results(0).offset(), 1);
  EXPECT_FALSE(sought_.results(0).has_error());

  const auto moved = subscriber.NextOf(v1::SubscribeResponse::kRepositioned).repositioned();
  EXPECT_EQ(moved.to_offset(), 1);
  EXPECT_EQ(moved.cause(), v1::REPOSITION_CAUSE_SEEK);
  EXPECT_EQ(moved.position_epoch(), sought_.results(0).position_epoch());
  const auto frame = subscriber.NextOf(v1::SubscribeResponse::kBatches);
  const v1::RecordBatch& batch = frame.batches().batches(0);
  EXPECT_EQ(batch.base_offset(), 1);
  EXPECT_EQ(batch.position_epoch(), moved.position_epoch());
  EXPECT_EQ(batch.records(0).value(), "b");
}

TEST_F(EventHubService, SeekToAStartOrTimeFindsTheOffset) {
  Subscriber subscriber(hub_, FromStart());
  v1::SeekRequest request;
  request.set_session_id(subscriber.session_id());
  for (int i = 0; i < 3; ++i) request.add_targets()->set_topic("orders");
  request.mutable_targets(0)->mutable_start()->set_latest(true);
  request.mutable_targets(1)->mutable_start()->set_earliest(true);
  request.mutable_targets(2)->mutable_start()->mutable_time()->set_seconds(250'000'000'000);
  ASSERT_EQ(Seek(request).code, grpc::OK);
  EXPECT_EQ(sought_.results(0).offset(), 3);
  EXPECT_EQ(sought_.results(1).offset(), 0);
  EXPECT_EQ(sought_.results(2).offset(), 3);
}

TEST_F(EventHubService, EachSeekTargetIsJudgedByItself) {
  hub_.CreateTopic("other");
  Subscriber subscriber(hub_, FromStart());
  v1::SeekRequest request;
  request.set_session_id(subscriber.session_id());
  const auto add = [&](const std::string& topic, int64_t offset) {
    v1::SeekTarget* target = request.add_targets();
    target->set_topic(topic);
    target->set_offset(offset);
    return target;
  };
  add("orders", 4);
  add("orders", -1);
  add("other", 0);
  add("orders", 3)->set_log_epoch(0);
  add("orders", 3);
  ASSERT_EQ(Seek(request).code, grpc::OK);
  std::vector<std::string> reasons;
  for (const v1::SeekResult& result : sought_.results()) reasons.push_back(result.error().reason());
  EXPECT_EQ(reasons, (std::vector<std::string>{"OFFSET_OUT_OF_RANGE", "OFFSET_OUT_OF_RANGE",
                                               "PARTITION_NOT_ASSIGNED", "LOG_EPOCH_CHANGED", ""}));
}

TEST_F(EventHubService, RefusesSeeksThatSayNothing) {
  v1::SeekRequest request;
  request.set_session_id("no-session");
  EXPECT_EQ(Seek(request).reason, "SESSION_NOT_FOUND");
  Subscriber subscriber(hub_, FromStart());
  request.set_session_id(subscriber.session_id());
  EXPECT_EQ(Seek(request).reason, "EMPTY_REQUEST");
  request.add_targets()->set_topic("orders");
  EXPECT_EQ(Seek(request).reason, "INVALID_CONFIG");
  request.mutable_targets(0)->mutable_start()->set_earliest(false);
  EXPECT_EQ(Seek(request).reason, "INVALID_CONFIG");
}

TEST_F(EventHubService, APausedPartitionIsSilentUntilItIsResumed) {
  Subscriber subscriber(hub_, FromStart());
  subscriber.NextOf(v1::SubscribeResponse::kBatches);
  v1::PausePartitionsRequest pause;
  pause.set_session_id(subscriber.session_id());
  pause.add_partitions()->set_topic("orders");
  ASSERT_EQ(Pause(pause).code, grpc::OK);
  ASSERT_EQ(paused_.paused_size(), 1);
  EXPECT_EQ(paused_.paused(0).topic(), "orders");
  EXPECT_EQ(paused_.paused(0).partition(), 0);

  hub_.Produce("orders", 0, {"held"});
  hub_.Produce("orders", 1, {"flows"});
  auto frame = subscriber.NextOf(v1::SubscribeResponse::kBatches);
  EXPECT_EQ(frame.batches().batches(0).records(0).value(), "flows");

  v1::ResumePartitionsRequest resume;
  resume.set_session_id(subscriber.session_id());
  ASSERT_EQ(Resume(resume).code, grpc::OK);
  EXPECT_EQ(resumed_.paused_size(), 0);
  frame = subscriber.NextOf(v1::SubscribeResponse::kBatches);
  EXPECT_EQ(frame.batches().batches(0).records(0).value(), "held");
}

TEST_F(EventHubService, RefusesToPauseWhatTheStreamDoesNotHave) {
  v1::PausePartitionsRequest pause;
  v1::ResumePartitionsRequest resume;
  EXPECT_EQ(Pause(pause).reason, "SESSION_NOT_FOUND");
  EXPECT_EQ(Resume(resume).reason, "SESSION_NOT_FOUND");
  hub_.CreateTopic("other");
  Subscriber subscriber(hub_, FromStart());
  pause.set_session_id(subscriber.session_id());
  pause.add_partitions()->set_topic("other");
  ErrorFacts facts = Pause(pause);
  EXPECT_EQ(facts.code, grpc::FAILED_PRECONDITION);
  EXPECT_EQ(facts.reason, "PARTITION_NOT_ASSIGNED");
  resume.set_session_id(subscriber.session_id());
  resume.add_partitions()->set_topic("other");
  EXPECT_EQ(Resume(resume).reason, "PARTITION_NOT_ASSIGNED");
}

}  // namespace
}  // namespace millrace::testing
