#include "server/hub/placement.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "server/hub/record_placement.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"

namespace millrace::hub {
namespace {

using storage::EncodedRecords;

EncodedRecords Encode(const std::vector<std::optional<std::string>>& keys) {
  std::string entries;
  for (const auto& key : keys) {
    storage::RecordView record;
    if (key) record.key = *key;
    record.value = "v";
    storage::AppendRecordEntry(record, &entries);
  }
  storage::SliceBuffer buffer(entries.size());
  entries.copy(buffer.data(), entries.size());
  return {buffer.Share(0, buffer.size()), static_cast<int32_t>(keys.size())};
}

std::vector<std::string> KeysOf(const EncodedRecords& records) {
  std::vector<std::string> keys;
  storage::EntryReader reader(records.entries.bytes);
  for (std::string_view record; reader.Next(&record);) {
    keys.emplace_back(storage::ParseRecord(record)->key.value_or("-"));
  }
  return keys;
}

// The values that Apache Kafka's own tests of murmur2 expect.
TEST(Placement, HashesAsKafkaDoes) {
  const std::map<std::string, int32_t> expected = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107}};
  for (const auto& [key, hash] : expected) {
    EXPECT_EQ(static_cast<int32_t>(Murmur2(key)), hash) << key;
  }
}

TEST(Placement, ClearsTheSignBeforeItTakesTheRemainder) {
  EXPECT_EQ(PartitionForKey("21", 3), (-973932308 & 0x7fffffff) % 3);
  EXPECT_EQ(PartitionForKey("21", 1), 0);
}

TEST(RecordPlacement, SendsEveryRecordToItsKeysPartitionInOrder) {
  const EncodedRecords records = Encode({"a", "b", "c", "d", "a", "e", "b", "a"});
  std::map<int32_t, std::vector<std::string>> expected;
  for (const char* key : {"a", "b", "c", "d", "a", "e", "b", "a"}) {
    expected[PartitionForKey(key, 3)].push_back(key);
  }
  ASSERT_GT(expected.size(), 1u);
  std::map<int32_t, std::vector<std::string>> placed;
  for (const PlacedRecords& each : PlaceByKey(records, 3, 0)) {
    placed[each.partition] = KeysOf(each.records);
    EXPECT_EQ(each.records.count, static_cast<int32_t>(each.record_indexes.size()));
  }
  EXPECT_EQ(placed, expected);
}

TEST(RecordPlacement, TellsWhichRecordsOfTheRequestWentWhere) {
  const std::vector<std::optional<std::string>> keys = {"a", "b", "c", "d", "e"};
  for (const PlacedRecords& each : PlaceByKey(Encode(keys), 2, 0)) {
    const std::vector<std::string> placed = KeysOf(each.records);
    for (size_t i = 0; i < placed.size(); ++i) {
      EXPECT_EQ(placed[i], *keys[each.record_indexes[i]]);
    }
  }
}

TEST(RecordPlacement, KeepsRecordsWithoutAKeyTogether) {
  const Placement placement = PlaceByKey(Encode({std::nullopt, std::nullopt, std::nullopt}), 8, 5);
  ASSERT_EQ(placement.size(), 1u);
  EXPECT_EQ(placement[0].partition, 5);
  EXPECT_EQ(placement[0].records.count, 3);
  EXPECT_TRUE(placement[0].record_indexes.empty());
}

TEST(RecordPlacement, TakesAnEmptyKeyForAKey) {
  const Placement placement = PlaceByKey(Encode({""}), 8, 5);
  ASSERT_EQ(placement.size(), 1u);
  EXPECT_EQ(placement[0].partition, PartitionForKey("", 8));
  EXPECT_NE(placement[0].partition, 5);
}

TEST(RecordPlacement, SharesTheBytesOfRecordsThatStayTogether) {
  const EncodedRecords records = Encode({"same", "same"});
  const Placement placement = PlaceByKey(records, 4, 0);
  ASSERT_EQ(placement.size(), 1u);
  EXPECT_EQ(placement[0].records.entries.bytes.data(), records.entries.bytes.data());
}

TEST(RecordPlacement, SurvivesBeingStored) {
  const Placement placement = PlaceByKey(Encode({"a", "b", "c", "d", "a", "e"}), 3, 0);
  const auto decoded = DecodePlacement(EncodePlacement(placement));
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->size(), placement.size());
  for (size_t i = 0; i < placement.size(); ++i) {
    EXPECT_EQ((*decoded)[i].partition, placement[i].partition);
    EXPECT_EQ((*decoded)[i].record_indexes, placement[i].record_indexes);
  }
}

TEST(RecordPlacement, RefusesStoredBytesThatAreCutShort) {
  const std::string whole = EncodePlacement(PlaceByKey(Encode({"a", "b", "c", "d"}), 2, 0));
  EXPECT_FALSE(DecodePlacement(whole.substr(0, whole.size() - 1)).ok());
}

}  // namespace
}  // namespace millrace::hub
