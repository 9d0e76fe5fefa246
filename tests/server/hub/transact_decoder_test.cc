#include "server/contract/transact_decoder.h"

#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "millrace/v1/event_hub.pb.h"
#include "server/grpc/message_bytes.h"
#include "storage/batch/entries.h"
#include "storage/error.h"
#include "tests/server/hub/byte_pieces.h"

namespace millrace::server {
namespace {

using storage::Reason;

absl::StatusOr<hub::TransactCommand> Decode(const std::string& bytes, hub::Limits limits = {}) {
  return DecodeTransactRequest(Flatten(Whole(bytes)), limits);
}

v1::TransactRequest MakeRequest() {
  v1::TransactRequest request;
  for (const char* topic : {"out", "audit"}) {
    v1::ProduceRequest* append = request.add_appends();
    append->set_topic(topic);
    append->set_partition(1);
    append->set_expected_next_offset(7);
    for (int i = 0; i < 2; ++i) {
      v1::Record* record = append->add_records();
      record->set_key("key" + std::to_string(i));
      record->set_value(std::string(40, 'v'));
      record->add_headers()->set_name("trace");
    }
  }
  v1::GroupCommit* commit = request.mutable_commit();
  commit->set_group("billing");
  commit->set_member_id("m");
  commit->set_member_epoch(3);
  v1::OffsetCommit* offset = commit->add_offsets();
  offset->set_topic("in");
  offset->set_partition(4);
  offset->set_next_offset(12);
  offset->set_metadata("note");
  offset->set_position_epoch(5);
  request.mutable_sequence()->set_producer_id("p");
  request.mutable_sequence()->set_epoch(2);
  request.mutable_sequence()->set_sequence(9);
  request.set_durability(v1::DURABILITY_BUFFERED);
  return request;
}

// Whether the command carries the bytes of the request's records as they are.
void ExpectRecords(const hub::TransactCommand& command, const v1::TransactRequest& request) {
  ASSERT_EQ(static_cast<int>(command.appends.size()), request.appends_size());
  for (int i = 0; i < request.appends_size(); ++i) {
    v1::ProduceRequest only_records;
    *only_records.mutable_records() = request.appends(i).records();
    EXPECT_EQ(command.appends[i].records.entries.bytes, only_records.SerializeAsString());
    EXPECT_EQ(command.appends[i].records.count, request.appends(i).records_size());
  }
}

TEST(TransactDecoder, TakesEveryFieldOfARequest) {
  const v1::TransactRequest request = MakeRequest();
  const auto command = Decode(request.SerializeAsString());
  ASSERT_TRUE(command.ok()) << command.status();
  ExpectRecords(*command, request);
  EXPECT_EQ(command->appends[1].topic, "audit");
  EXPECT_EQ(command->appends[1].partition, 1);
  EXPECT_EQ(command->appends[1].expected_next_offset, storage::Offset(7));
  EXPECT_FALSE(command->appends[1].producer.has_value());
  EXPECT_FALSE(command->appends[1].durability.has_value());
  ASSERT_TRUE(command->commit.has_value());
  EXPECT_EQ(command->commit->group, "billing");
  EXPECT_EQ(command->commit->member_id, "m");
  EXPECT_EQ(command->commit->member_epoch, 3);
  ASSERT_EQ(command->commit->entries.size(), 1u);
  EXPECT_EQ(command->commit->entries[0].topic, "in");
  EXPECT_EQ(command->commit->entries[0].partition, 4);
  EXPECT_EQ(command->commit->entries[0].next_offset, storage::Offset(12));
  EXPECT_EQ(command->commit->entries[0].metadata, "note");
  EXPECT_EQ(command->commit->entries[0].position_epoch, storage::PositionEpoch(5));
  ASSERT_TRUE(command->producer.has_value());
  EXPECT_EQ(command->producer->producer_id, "p");
  EXPECT_EQ(command->producer->epoch, storage::ProducerEpoch(2));
  EXPECT_EQ(command->producer->sequence, 9);
  EXPECT_EQ(command->durability, storage::Durability::kBuffered);
}

TEST(TransactDecoder, TellsAbsentFieldsFromZeroes) {
  const auto command = Decode("");
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_TRUE(command->appends.empty());
  EXPECT_FALSE(command->commit.has_value());
  EXPECT_FALSE(command->producer.has_value());
  EXPECT_FALSE(command->durability.has_value());
}

TEST(TransactDecoder, ReadsARequestThatComesInPiecesOfAnySize) {
  const v1::TransactRequest request = MakeRequest();
  const std::string bytes = request.SerializeAsString();
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto command = DecodeTransactRequest(Flatten(Pieces(bytes, piece)), {});
    ASSERT_TRUE(command.ok()) << piece << " " << command.status();
    ExpectRecords(*command, request);
  }
}

TEST(TransactDecoder, MergesAMessageThatComesInTwoParts) {
  v1::TransactRequest first, second;
  first.mutable_commit()->set_group("billing");
  first.mutable_sequence()->set_producer_id("p");
  second.mutable_commit()->add_offsets()->set_topic("in");
  second.mutable_sequence()->set_epoch(1);
  second.mutable_sequence()->set_sequence(1);
  const auto command = Decode(first.SerializeAsString() + second.SerializeAsString());
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->commit->group, "billing");
  EXPECT_EQ(command->commit->entries.size(), 1u);
  EXPECT_EQ(command->producer->producer_id, "p");
}

TEST(TransactDecoder, AgreesWithProtobufOnEveryTruncation) {
  const std::string bytes = MakeRequest().SerializeAsString();
  int refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    v1::TransactRequest parsed;
    const auto command = Decode(cut);
    EXPECT_EQ(command.ok(), parsed.ParseFromString(cut)) << size << " " << command.status();
    refused += !command.ok();
  }
  EXPECT_GT(refused, 100);
}

TEST(TransactDecoder, RefusesAKnownFieldOfAnotherWireType) {
  for (const char field : {'\x08', '\x10', '\x18'}) {  // As numbers.
    EXPECT_EQ(storage::ReasonOf(Decode(std::string{field, '\x01'}).status()),
              Reason::kMalformedRequest);
  }
  EXPECT_EQ(storage::ReasonOf(Decode(std::string("\x22\x00", 2)).status()),
            Reason::kMalformedRequest);         // A durability as bytes.
  EXPECT_TRUE(Decode("\xfa\x01\x03xyz").ok());  // A field of a later version.
}

TEST(TransactDecoder, SaysWhichRecordOfWhichAppendIsMalformed) {
  v1::TransactRequest request = MakeRequest();
  std::string bytes = request.SerializeAsString();
  // A third append of one good record and one whose key reaches beyond it.
  const std::string append = std::string("\x1a\x00", 2) + std::string("\x1a\x02\x0a\x7f", 4);
  bytes += std::string("\x0a") + static_cast<char>(append.size()) + append;
  const absl::Status refused = Decode(bytes).status();
  EXPECT_EQ(storage::ReasonOf(refused), Reason::kMalformedRecord);
  EXPECT_EQ(storage::MetadataOf(refused)["append_index"], "2");
  EXPECT_EQ(storage::MetadataOf(refused)["record_index"], "1");
}

TEST(TransactDecoder, HoldsTheRequestAsAWholeToTheLimits) {
  const std::string bytes = MakeRequest().SerializeAsString();
  const auto reason = [&](hub::Limits limits) {
    return storage::ReasonOf(Decode(bytes, limits).status());
  };
  EXPECT_EQ(reason({.max_request_bytes = 200}), Reason::kBatchTooLarge);
  EXPECT_EQ(reason({.max_request_records = 3}), Reason::kBatchTooLarge);
  EXPECT_EQ(reason({.max_request_records = 4}), std::nullopt);
  EXPECT_EQ(reason({.max_record_bytes = 40}), Reason::kRecordTooLarge);
}

TEST(TransactDecoder, RefusesRequestsThatMakeNoSense) {
  v1::TransactRequest request = MakeRequest();
  request.mutable_appends(1)->clear_records();
  absl::Status refused = Decode(request.SerializeAsString()).status();
  EXPECT_EQ(storage::ReasonOf(refused), Reason::kEmptyRequest);
  EXPECT_EQ(storage::MetadataOf(refused)["field"], "appends[1].records");
  request = MakeRequest();
  request.mutable_appends(0)->clear_partition();
  EXPECT_EQ(storage::ReasonOf(Decode(request.SerializeAsString()).status()),
            Reason::kExpectedOffsetNeedsPartition);
  request = MakeRequest();
  request.mutable_sequence()->set_sequence(0);
  refused = Decode(request.SerializeAsString()).status();
  EXPECT_EQ(storage::ReasonOf(refused), Reason::kInvalidSequence);
  EXPECT_EQ(storage::MetadataOf(refused)["field"], "sequence");
  request = MakeRequest();
  request.set_durability(static_cast<v1::Durability>(9));
  EXPECT_EQ(storage::ReasonOf(Decode(request.SerializeAsString()).status()),
            Reason::kMalformedRequest);
}

}  // namespace
}  // namespace millrace::server
