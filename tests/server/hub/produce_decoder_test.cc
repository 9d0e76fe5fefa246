#include "server/contract/produce_decoder.h"

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

v1::ProduceRequest MakeRequest() {
  v1::ProduceRequest request;
  request.set_topic("orders");
  request.set_partition(2);
  for (int i = 0; i < 3; ++i) {
    v1::Record* record = request.add_records();
    record->set_key("key" + std::to_string(i));
    record->set_value(std::string(50, 'v'));
    v1::Header* header = record->add_headers();
    header->set_name("trace");
    header->set_value("1");
    record->mutable_event_time()->set_seconds(1'700'000'000);
  }
  request.set_durability(v1::DURABILITY_BUFFERED);
  request.mutable_sequence()->set_producer_id("p");
  request.mutable_sequence()->set_epoch(4);
  request.mutable_sequence()->set_sequence(9);
  request.set_expected_next_offset(77);
  return request;
}

// The records that a command carries, read back by protobuf.
std::vector<v1::Record> RecordsOf(const hub::ProduceCommand& command) {
  std::vector<v1::Record> records;
  storage::EntryReader reader(command.records.entries.bytes);
  for (std::string_view bytes; reader.Next(&bytes);) {
    records.emplace_back();
    EXPECT_TRUE(records.back().ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  }
  EXPECT_FALSE(reader.damaged());
  EXPECT_EQ(static_cast<int32_t>(records.size()), command.records.count);
  return records;
}

void ExpectRecords(const hub::ProduceCommand& command, const v1::ProduceRequest& request) {
  const std::vector<v1::Record> records = RecordsOf(command);
  ASSERT_EQ(records.size(), static_cast<size_t>(request.records_size()));
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].SerializeAsString(),
              request.records(static_cast<int>(i)).SerializeAsString());
  }
}

Reason ReasonFor(const std::string& bytes, const hub::Limits& limits = {}) {
  const auto command = DecodeProduceRequest(Flatten(Whole(bytes)), limits);
  EXPECT_FALSE(command.ok());
  return storage::ReasonOf(command.status()).value_or(Reason::kInternal);
}

TEST(ProduceDecoder, TakesEveryFieldOfARequest) {
  const v1::ProduceRequest request = MakeRequest();
  const auto command = DecodeProduceRequest(Flatten(Whole(request.SerializeAsString())), {});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->topic, "orders");
  EXPECT_EQ(command->partition, 2);
  EXPECT_EQ(command->durability, storage::Durability::kBuffered);
  EXPECT_EQ(command->producer->producer_id, "p");
  EXPECT_EQ(command->producer->epoch, storage::ProducerEpoch(4));
  EXPECT_EQ(command->producer->sequence, 9);
  EXPECT_EQ(command->expected_next_offset, storage::Offset(77));
  ExpectRecords(*command, request);
}

TEST(ProduceDecoder, TellsAbsentFieldsFromZeroes) {
  v1::ProduceRequest request;
  request.set_topic("orders");
  request.add_records();
  const auto command = DecodeProduceRequest(Flatten(Whole(request.SerializeAsString())), {});
  ASSERT_TRUE(command.ok());
  EXPECT_FALSE(command->partition.has_value());
  EXPECT_FALSE(command->durability.has_value());
  EXPECT_FALSE(command->producer.has_value());
  EXPECT_FALSE(command->expected_next_offset.has_value());
}

TEST(ProduceDecoder, ReadsARequestThatComesInPiecesOfAnySize) {
  const v1::ProduceRequest request = MakeRequest();
  const std::string bytes = request.SerializeAsString();
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto command = DecodeProduceRequest(Flatten(Pieces(bytes, piece)), {});
    ASSERT_TRUE(command.ok()) << piece;
    ExpectRecords(*command, request);
  }
}

TEST(ProduceDecoder, GathersRecordsThatOtherFieldsSeparate) {
  v1::ProduceRequest first, second;
  first.set_topic("orders");
  first.add_records()->set_value("one");
  second.set_partition(1);
  second.add_records()->set_value("two");
  const auto command = DecodeProduceRequest(
      Flatten(Whole(first.SerializeAsString() + second.SerializeAsString())), {});
  ASSERT_TRUE(command.ok());
  const std::vector<v1::Record> records = RecordsOf(*command);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].value(), "one");
  EXPECT_EQ(records[1].value(), "two");
}

TEST(ProduceDecoder, AgreesWithProtobufOnEveryTruncation) {
  const std::string bytes = MakeRequest().SerializeAsString();
  int refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    v1::ProduceRequest parsed;
    const auto command = DecodeProduceRequest(Flatten(Whole(cut)), {});
    if (!parsed.ParseFromString(cut)) {
      EXPECT_FALSE(command.ok()) << size;
      ++refused;
    } else if (parsed.records_size() > 0 && !parsed.has_sequence()) {
      EXPECT_TRUE(command.ok()) << size << " " << command.status();
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(ProduceDecoder, RefusesAKnownFieldOfAnotherWireType) {
  v1::ProduceRequest good;
  good.add_records();
  const std::string records = good.SerializeAsString();
  EXPECT_EQ(ReasonFor(records + std::string("\x08\x01", 2)), Reason::kMalformedRequest);  // topic
  EXPECT_EQ(ReasonFor(records + std::string("\x12\x00", 2)),
            Reason::kMalformedRequest);  // partition
  EXPECT_EQ(ReasonFor(records + std::string("\x18\x01", 2)), Reason::kMalformedRequest);  // records
  EXPECT_EQ(ReasonFor(records + std::string("\x22\x00", 2)),
            Reason::kMalformedRequest);  // durability
  EXPECT_EQ(ReasonFor(records + std::string("\x28\x01", 2)),
            Reason::kMalformedRequest);  // sequence
}

TEST(ProduceDecoder, StepsOverFieldsOfALaterVersion) {
  const v1::ProduceRequest request = MakeRequest();
  const auto command =
      DecodeProduceRequest(Flatten(Whole(request.SerializeAsString() + "\xfa\x01\x03xyz")), {});
  ASSERT_TRUE(command.ok()) << command.status();
  ExpectRecords(*command, request);
}

TEST(ProduceDecoder, NamesTheRecordThatIsMalformed) {
  v1::ProduceRequest request = MakeRequest();
  std::string bytes = request.SerializeAsString();
  bytes += std::string("\x1a\x02\x0a\x7f", 4);  // A key that reaches beyond its record.
  const auto command = DecodeProduceRequest(Flatten(Whole(bytes)), {});
  EXPECT_EQ(storage::ReasonOf(command.status()), Reason::kMalformedRecord);
  EXPECT_EQ(storage::MetadataOf(command.status())["record_index"], "3");
}

TEST(ProduceDecoder, HoldsRequestsToTheLimits) {
  const std::string bytes = MakeRequest().SerializeAsString();
  EXPECT_EQ(ReasonFor(bytes, {.max_record_bytes = 40}), Reason::kRecordTooLarge);
  EXPECT_EQ(ReasonFor(bytes, {.max_request_bytes = 100}), Reason::kBatchTooLarge);
  EXPECT_EQ(ReasonFor(bytes, {.max_request_records = 2}), Reason::kBatchTooLarge);
  EXPECT_EQ(ReasonFor(bytes, {.max_key_bytes = 3}), Reason::kRecordTooLarge);
  EXPECT_EQ(ReasonFor(bytes, {.max_record_headers = 0}), Reason::kRecordTooLarge);
}

TEST(ProduceDecoder, RefusesRequestsThatMakeNoSense) {
  EXPECT_EQ(ReasonFor(""), Reason::kEmptyRequest);
  v1::ProduceRequest request = MakeRequest();
  request.clear_partition();
  EXPECT_EQ(ReasonFor(request.SerializeAsString()), Reason::kExpectedOffsetNeedsPartition);
  request = MakeRequest();
  request.mutable_sequence()->set_sequence(0);
  EXPECT_EQ(ReasonFor(request.SerializeAsString()), Reason::kInvalidSequence);
}

TEST(ProduceDecoder, TakesTheRequestOutOfAStreamRequest) {
  v1::ProduceStreamRequest request;
  *request.mutable_request() = MakeRequest();
  const auto command =
      DecodeProduceStreamRequest(Flatten(Pieces(request.SerializeAsString(), 7)), {});
  ASSERT_TRUE(command.ok()) << command.status();
  ExpectRecords(*command, request.request());

  const auto empty = DecodeProduceStreamRequest(Flatten(Whole("")), {});
  EXPECT_EQ(storage::ReasonOf(empty.status()), Reason::kEmptyRequest);
  const auto malformed = DecodeProduceStreamRequest(Flatten(Whole("\x0a\x05")), {});
  EXPECT_EQ(storage::ReasonOf(malformed.status()), Reason::kMalformedRequest);
}

}  // namespace
}  // namespace millrace::server
