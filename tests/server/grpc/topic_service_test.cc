#include <gtest/gtest.h>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

using Metadata = std::map<std::string, std::string>;

class TopicService : public ::testing::Test {
 protected:
  ErrorFacts Create(const v1::CreateTopicRequest& request) {
    return FactsOf(hub_.topics().CreateTopic(NewContext().get(), request, &created_));
  }

  ErrorFacts Get(const std::string& name) {
    v1::GetTopicRequest request;
    request.set_topic(name);
    return FactsOf(hub_.topics().GetTopic(NewContext().get(), request, &got_));
  }

  ErrorFacts Update(const v1::UpdateTopicRequest& request) {
    return FactsOf(hub_.topics().UpdateTopic(NewContext().get(), request, &updated_));
  }

  ErrorFacts Truncate(const v1::TruncateTopicRequest& request) {
    return FactsOf(hub_.topics().TruncateTopic(NewContext().get(), request, &truncated_));
  }

  static hub::HubOptions FewTopics() {
    hub::HubOptions options;
    options.limits.max_topics = 3;
    options.limits.max_topic_partitions = 8;
    return options;
  }

  TestHub hub_{FewTopics()};
  v1::CreateTopicResponse created_;
  v1::GetTopicResponse got_;
  v1::UpdateTopicResponse updated_;
  v1::TruncateTopicResponse truncated_;
};

v1::CreateTopicRequest NewTopic(const std::string& name) {
  v1::CreateTopicRequest request;
  request.set_topic(name);
  return request;
}

TEST_F(TopicService, CreatesATopicOfOnePartitionWhereNoneIsSaid) {
  ASSERT_EQ(Create(NewTopic("orders")).code, grpc::OK);
  EXPECT_EQ(created_.topic().name(), "orders");
  EXPECT_EQ(created_.topic().partition_count(), 1);
  EXPECT_FALSE(created_.topic().retention().has_max_age());
  EXPECT_EQ(created_.topic().retention().max_partition_bytes(), 0);
  EXPECT_GT(created_.topic().create_time().seconds(), 1'600'000'000);
}

TEST_F(TopicService, CreatesATopicAsAskedFor) {
  v1::CreateTopicRequest request = NewTopic("orders");
  request.set_partition_count(3);
  request.mutable_retention()->mutable_max_age()->set_seconds(3600);
  request.mutable_retention()->set_max_partition_bytes(1 << 20);
  ASSERT_EQ(Create(request).code, grpc::OK);
  ASSERT_EQ(Get("orders").code, grpc::OK);
  EXPECT_EQ(got_.topic().DebugString(), created_.topic().DebugString());
  EXPECT_EQ(got_.topic().partition_count(), 3);
  EXPECT_EQ(got_.topic().retention().max_age().seconds(), 3600);
  EXPECT_EQ(got_.topic().retention().max_partition_bytes(), 1 << 20);
}

TEST_F(TopicService, RefusesATopicThatExists) {
  hub_.CreateTopic("orders");
  const ErrorFacts facts = Create(NewTopic("orders"));
  EXPECT_EQ(facts.code, grpc::ALREADY_EXISTS);
  EXPECT_EQ(facts.reason, "TOPIC_EXISTS");
}

TEST_F(TopicService, RefusesIllegalNames) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string("größe"), std::string("a\0b", 3), std::string(250, 'x')}) {
    const ErrorFacts facts = Create(NewTopic(name));
    EXPECT_EQ(facts.code, grpc::INVALID_ARGUMENT) << name;
    EXPECT_EQ(facts.reason, "INVALID_NAME") << name;
    EXPECT_EQ(facts.fields, std::vector<std::string>{"topic"}) << name;
  }
}

TEST_F(TopicService, TakesTheLongestName) {
  EXPECT_EQ(Create(NewTopic(std::string(249, 'x'))).code, grpc::OK);
}

TEST_F(TopicService, RefusesNegativeCountsAndLimits) {
  v1::CreateTopicRequest no_partitions = NewTopic("a");
  no_partitions.set_partition_count(0);
  ErrorFacts facts = Create(no_partitions);
  EXPECT_EQ(facts.code, grpc::INVALID_ARGUMENT);
  EXPECT_EQ(facts.reason, "INVALID_CONFIG");
  EXPECT_EQ(facts.fields, std::vector<std::string>{"partition_count"});

  v1::CreateTopicRequest negative_age = NewTopic("a");
  negative_age.mutable_retention()->mutable_max_age()->set_seconds(-1);
  facts = Create(negative_age);
  EXPECT_EQ(facts.reason, "INVALID_CONFIG");
  EXPECT_EQ(facts.fields, std::vector<std::string>{"retention.max_age"});

  v1::CreateTopicRequest illegal_age = NewTopic("a");
  illegal_age.mutable_retention()->mutable_max_age()->set_nanos(2'000'000'000);
  EXPECT_EQ(Create(illegal_age).reason, "INVALID_CONFIG");

  v1::CreateTopicRequest negative_size = NewTopic("a");
  negative_size.mutable_retention()->set_max_partition_bytes(-1);
  facts = Create(negative_size);
  EXPECT_EQ(facts.reason, "INVALID_CONFIG");
  EXPECT_EQ(facts.fields, std::vector<std::string>{"retention.max_partition_bytes"});
}

TEST_F(TopicService, HoldsTheLimits) {
  v1::CreateTopicRequest wide = NewTopic("wide");
  wide.set_partition_count(9);
  ErrorFacts facts = Create(wide);
  EXPECT_EQ(facts.code, grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(facts.reason, "LIMIT_EXCEEDED");
  EXPECT_EQ(facts.metadata, (Metadata{{"limit", "max_topic_partitions"}, {"value", "8"}}));

  for (const char* name : {"a", "b", "c"}) hub_.CreateTopic(name);
  facts = Create(NewTopic("d"));
  EXPECT_EQ(facts.reason, "LIMIT_EXCEEDED");
  EXPECT_EQ(facts.metadata, (Metadata{{"limit", "max_topics"}, {"value", "3"}}));
}

TEST_F(TopicService, DescribesPartitions) {
  hub_.CreateTopic("orders", 2);
  hub_.Produce("orders", 1, {"a", "b"});
  ASSERT_EQ(Get("orders").code, grpc::OK);
  ASSERT_EQ(got_.partitions_size(), 2);
  EXPECT_EQ(got_.partitions(0).latest_offset(), 0);
  EXPECT_FALSE(got_.partitions(0).has_last_append_time());
  EXPECT_EQ(got_.partitions(1).partition(), 1);
  EXPECT_EQ(got_.partitions(1).earliest_offset(), 0);
  EXPECT_EQ(got_.partitions(1).latest_offset(), 2);
  EXPECT_GT(got_.partitions(1).size_bytes(), 0);
  EXPECT_TRUE(got_.partitions(1).has_last_append_time());
}

TEST_F(TopicService, SaysWhichTopicIsNotThere) {
  const ErrorFacts facts = Get("nothing");
  EXPECT_EQ(facts.code, grpc::NOT_FOUND);
  EXPECT_EQ(facts.reason, "TOPIC_NOT_FOUND");
  EXPECT_EQ(facts.metadata, (Metadata{{"topic", "nothing"}}));
  EXPECT_FALSE(facts.retry_after_ms.has_value());

  v1::UpdateTopicRequest update;
  update.set_topic("nothing");
  EXPECT_EQ(Update(update).reason, "TOPIC_NOT_FOUND");
  v1::TruncateTopicRequest truncate;
  truncate.set_topic("nothing");
  EXPECT_EQ(Truncate(truncate).reason, "TOPIC_NOT_FOUND");
  v1::DeleteTopicRequest erase;
  erase.set_topic("nothing");
  v1::DeleteTopicResponse erased;
  EXPECT_EQ(FactsOf(hub_.topics().DeleteTopic(NewContext().get(), erase, &erased)).reason,
            "TOPIC_NOT_FOUND");
}

TEST_F(TopicService, ListsTopicsInPages) {
  for (const char* name : {"b", "c", "a"}) hub_.CreateTopic(name);
  v1::ListTopicsRequest request;
  request.set_page_size(2);
  v1::ListTopicsResponse response;
  ASSERT_TRUE(hub_.topics().ListTopics(NewContext().get(), request, &response).ok());
  ASSERT_EQ(response.topics_size(), 2);
  EXPECT_EQ(response.topics(0).name(), "a");
  EXPECT_EQ(response.topics(1).name(), "b");
  request.set_page_token(response.next_page_token());
  ASSERT_TRUE(hub_.topics().ListTopics(NewContext().get(), request, &response).ok());
  ASSERT_EQ(response.topics_size(), 1);
  EXPECT_EQ(response.topics(0).name(), "c");
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(TopicService, RefusesPagesThatAreNone) {
  v1::ListTopicsRequest request;
  request.set_page_size(-1);
  v1::ListTopicsResponse response;
  ErrorFacts facts = FactsOf(hub_.topics().ListTopics(NewContext().get(), request, &response));
  EXPECT_EQ(facts.reason, "INVALID_PAGE");
  EXPECT_EQ(facts.fields, std::vector<std::string>{"page_size"});
  request.set_page_size(1);
  request.set_page_token("no token");
  facts = FactsOf(hub_.topics().ListTopics(NewContext().get(), request, &response));
  EXPECT_EQ(facts.reason, "INVALID_PAGE");
  EXPECT_EQ(facts.fields, std::vector<std::string>{"page_token"});
}

TEST_F(TopicService, ChangesOnlyWhatTheRequestNames) {
  v1::CreateTopicRequest request = NewTopic("orders");
  request.mutable_retention()->mutable_max_age()->set_seconds(60);
  request.mutable_retention()->set_max_partition_bytes(1000);
  ASSERT_EQ(Create(request).code, grpc::OK);

  v1::UpdateTopicRequest grow;
  grow.set_topic("orders");
  grow.set_partition_count(2);
  ASSERT_EQ(Update(grow).code, grpc::OK);
  EXPECT_EQ(updated_.topic().partition_count(), 2);
  EXPECT_EQ(updated_.topic().retention().max_age().seconds(), 60);
  EXPECT_EQ(updated_.topic().retention().max_partition_bytes(), 1000);

  v1::UpdateTopicRequest keep_forever;
  keep_forever.set_topic("orders");
  keep_forever.mutable_retention_max_age();
  ASSERT_EQ(Update(keep_forever).code, grpc::OK);
  EXPECT_FALSE(updated_.topic().retention().has_max_age());
  EXPECT_EQ(updated_.topic().retention().max_partition_bytes(), 1000);
  EXPECT_EQ(updated_.topic().partition_count(), 2);

  v1::UpdateTopicRequest resize;
  resize.set_topic("orders");
  resize.set_retention_max_partition_bytes(0);
  ASSERT_EQ(Update(resize).code, grpc::OK);
  EXPECT_EQ(updated_.topic().retention().max_partition_bytes(), 0);
}

TEST_F(TopicService, RefusesSenselessChanges) {
  hub_.CreateTopic("orders", 3);
  v1::UpdateTopicRequest shrink;
  shrink.set_topic("orders");
  shrink.set_partition_count(2);
  EXPECT_EQ(Update(shrink).reason, "INVALID_CONFIG");
  shrink.set_partition_count(9);
  EXPECT_EQ(Update(shrink).reason, "LIMIT_EXCEEDED");

  v1::UpdateTopicRequest age;
  age.set_topic("orders");
  age.mutable_retention_max_age()->set_seconds(-5);
  EXPECT_EQ(Update(age).fields, std::vector<std::string>{"retention_max_age"});
  v1::UpdateTopicRequest size;
  size.set_topic("orders");
  size.set_retention_max_partition_bytes(-5);
  EXPECT_EQ(Update(size).fields, std::vector<std::string>{"retention_max_partition_bytes"});
}

TEST_F(TopicService, DeletesATopic) {
  hub_.CreateTopic("orders");
  v1::DeleteTopicRequest request;
  request.set_topic("orders");
  v1::DeleteTopicResponse response;
  ASSERT_TRUE(hub_.topics().DeleteTopic(NewContext().get(), request, &response).ok());
  EXPECT_EQ(Get("orders").reason, "TOPIC_NOT_FOUND");
}

TEST_F(TopicService, TruncatesWhereItIsTold) {
  hub_.CreateTopic("orders", 2);
  hub_.Produce("orders", 0, {"a", "b", "c"});
  hub_.Produce("orders", 1, {"d"});
  v1::TruncateTopicRequest request;
  request.set_topic("orders");
  v1::PartitionTruncation* cut = request.add_partitions();
  cut->set_partition(0);
  cut->set_before_offset(2);
  ASSERT_EQ(Truncate(request).code, grpc::OK);
  ASSERT_EQ(truncated_.partitions_size(), 1);
  EXPECT_EQ(truncated_.partitions(0).earliest_offset(), 2);
  EXPECT_EQ(truncated_.partitions(0).latest_offset(), 3);

  request.clear_partitions();
  ASSERT_EQ(Truncate(request).code, grpc::OK);
  ASSERT_EQ(truncated_.partitions_size(), 2);
  EXPECT_EQ(truncated_.partitions(0).earliest_offset(), 3);
  EXPECT_EQ(truncated_.partitions(1).earliest_offset(), 1);
}

TEST_F(TopicService, RefusesToTruncateWhatIsNotThere) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a"});
  v1::TruncateTopicRequest request;
  request.set_topic("orders");
  v1::PartitionTruncation* cut = request.add_partitions();
  cut->set_partition(1);
  ErrorFacts facts = Truncate(request);
  EXPECT_EQ(facts.code, grpc::OUT_OF_RANGE);
  EXPECT_EQ(facts.reason, "PARTITION_OUT_OF_RANGE");
  EXPECT_EQ(facts.metadata,
            (Metadata{{"topic", "orders"}, {"partition", "1"}, {"partition_count", "1"}}));
  cut->set_partition(0);
  for (const int64_t offset : {int64_t{2}, int64_t{-1}}) {
    cut->set_before_offset(offset);
    facts = Truncate(request);
    EXPECT_EQ(facts.reason, "OFFSET_OUT_OF_RANGE");
    EXPECT_EQ(facts.metadata.at("latest"), "1");
  }
}

}  // namespace
}  // namespace millrace::testing
