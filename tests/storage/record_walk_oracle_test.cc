// The walk against protobuf's own parser, over many damaged records: what the walk passes protobuf
// parses, to the same content; what protobuf parses the walk refuses only for its stated reasons.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "millrace/v1/record.pb.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"

namespace millrace::storage {
namespace {

std::vector<v1::Record> ValidRecords() {
  std::vector<v1::Record> records(5);
  records[1].set_key("");
  records[1].set_value("v");
  records[2].set_key("a key");
  records[2].set_value(std::string(200, '\xf0'));
  v1::Header* header = records[3].add_headers();
  header->set_name("traceparent");
  header->set_value("00-4bf92f35-01");
  header = records[3].add_headers();
  header->set_name("größe € 🎉");
  header = records[3].add_headers();
  header->set_value("");
  records[3].mutable_event_time()->set_seconds(1'700'000'000);
  records[3].mutable_event_time()->set_nanos(999'999'999);
  records[4] = records[3];
  records[4].set_key("k");
  records[4].mutable_event_time()->set_seconds(-1);
  records[4].mutable_event_time()->set_nanos(-1);
  return records;
}

// Records with fields that the contract does not define, and with encodings longer than needed.
std::vector<std::string> ValidEncodings() {
  std::vector<std::string> encodings;
  for (const v1::Record& record : ValidRecords()) {
    encodings.push_back(record.SerializeAsString());
    std::string unknown = encodings.back();
    unknown += std::string(
        "\x78\x96\x01\xa2\x06\x03"
        "abc\x3d"
        "1234\x81\x01"
        "12345678",
        24);
    encodings.push_back(unknown);
  }
  encodings.push_back(
      std::string("\x8a\x00\x82\x80\x00"
                  "ab\x12\x81\x00z",
                  11));
  return encodings;
}

bool HasUnknownFields(const v1::Record& record) {
  const auto unknown = [](const google::protobuf::Message& message) {
    return !message.GetReflection()->GetUnknownFields(message).empty();
  };
  if (unknown(record) || unknown(record.event_time())) return true;
  for (const v1::Header& header : record.headers()) {
    if (unknown(header)) return true;
  }
  return false;
}

void ExpectSameContent(const RecordView& view, const v1::Record& record) {
  EXPECT_EQ(view.key.has_value(), record.has_key());
  EXPECT_EQ(view.key.value_or(""), record.key());
  EXPECT_EQ(view.value.has_value(), record.has_value());
  EXPECT_EQ(view.value.value_or(""), record.value());
  ASSERT_EQ(static_cast<int>(view.headers.size()), record.headers_size());
  for (int i = 0; i < record.headers_size(); ++i) {
    EXPECT_EQ(view.headers[i].name, record.headers(i).name());
    EXPECT_EQ(view.headers[i].value.has_value(), record.headers(i).has_value());
    EXPECT_EQ(view.headers[i].value.value_or(""), record.headers(i).value());
  }
  ASSERT_EQ(view.event_time.has_value(), record.has_event_time());
  if (view.event_time) {
    EXPECT_EQ(view.event_time->seconds, record.event_time().seconds());
    EXPECT_EQ(view.event_time->nanos, record.event_time().nanos());
  }
}

// How many inputs went which way, so that a test can tell that it tried both.
struct Tally {
  int passed = 0;
  int refused = 0;
};

void Compare(const std::string& bytes, Tally& tally) {
  RecordFacts facts;
  const WalkError error = WalkRecord(bytes, {}, &facts);
  v1::Record record;
  const bool parses = record.ParseFromString(bytes);
  const auto view = ParseRecord(bytes);
  ASSERT_EQ(view.has_value(), error == WalkError::kNone);
  if (error == WalkError::kNone) {
    ++tally.passed;
    ASSERT_TRUE(parses) << testing::PrintToString(bytes);
    EXPECT_EQ(facts.has_key, record.has_key());
    EXPECT_EQ(facts.key, record.key());
    EXPECT_EQ(facts.header_count, record.headers_size());
    ExpectSameContent(*view, record);
    return;
  }
  ++tally.refused;
  switch (error) {
    case WalkError::kGroup:
    case WalkError::kBadVarint:  // Protobuf's parser for C++ drops the bits beyond the 64th.
      break;
    case WalkError::kWrongWireType:
      if (parses) {
        EXPECT_TRUE(HasUnknownFields(record));
      }
      break;
    default:
      EXPECT_FALSE(parses) << DescriptionOf(error) << ": " << testing::PrintToString(bytes);
  }
}

// Protobuf logs every string that is not UTF-8; here that is many thousands.
class WalkOracle : public testing::Test {
 protected:
  google::protobuf::LogSilencer silence_;
};

TEST_F(WalkOracle, AgreesWithProtobufOnValidRecords) {
  Tally tally;
  for (const std::string& bytes : ValidEncodings()) Compare(bytes, tally);
  EXPECT_EQ(tally.refused, 0);
}

TEST_F(WalkOracle, AgreesWithProtobufAtEveryTruncation) {
  Tally tally;
  for (const std::string& bytes : ValidEncodings()) {
    for (size_t size = 0; size < bytes.size(); ++size) Compare(bytes.substr(0, size), tally);
  }
  EXPECT_GT(tally.passed, 20);
  EXPECT_GT(tally.refused, 500);
}

TEST_F(WalkOracle, AgreesWithProtobufOnEveryFlippedBit) {
  Tally tally;
  for (const std::string& bytes : ValidEncodings()) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      Compare(damaged, tally);
    }
  }
  EXPECT_GT(tally.passed, 1000);
  EXPECT_GT(tally.refused, 500);
}

TEST_F(WalkOracle, AgreesWithProtobufOnRandomDamage) {
  std::mt19937 random(20261123);
  const std::vector<std::string> encodings = ValidEncodings();
  Tally tally;
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = encodings[random() % encodings.size()];
    for (int changes = 1 + static_cast<int>(random() % 6); changes > 0 && !bytes.empty();
         --changes) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
        case 2:
          bytes.erase(at, 1 + random() % 3);
          break;
        default:
          bytes.insert(at, encodings[random() % encodings.size()].substr(0, random() % 20));
      }
    }
    Compare(bytes, tally);
  }
  EXPECT_GT(tally.passed, 5000);
  EXPECT_GT(tally.refused, 20'000);
}

TEST_F(WalkOracle, AgreesWithProtobufOnTheFramingOfEntries) {
  v1::RecordBatch batch;
  for (const v1::Record& record : ValidRecords()) *batch.add_records() = record;
  const std::string entries = batch.SerializeAsString();
  int whole = 0;
  for (size_t bit = 0; bit < entries.size() * 8; ++bit) {
    std::string damaged = entries;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EntryReader reader(damaged);
    int records = 0;
    bool passed = true;
    for (std::string_view record; reader.Next(&record); ++records) {
      RecordFacts facts;
      passed = passed && WalkRecord(record, {}, &facts) == WalkError::kNone;
    }
    if (!passed || reader.damaged()) continue;
    ++whole;
    v1::RecordBatch parsed;
    ASSERT_TRUE(parsed.ParseFromString(damaged));
    EXPECT_EQ(parsed.records_size(), records);
  }
  EXPECT_GT(whole, 1000);
}

}  // namespace
}  // namespace millrace::storage
