// Entries, record views and the stored batch.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/stored_batch.h"

namespace millrace::storage {
namespace {

using std::string_literals::operator""s;

std::string EntriesOf(const std::vector<std::string>& values) {
  std::string entries;
  for (const std::string& value : values) {
    RecordView record;
    record.value = value;
    AppendRecordEntry(record, &entries);
  }
  return entries;
}

TEST(EntryReader, GivesEveryRecordInOrder) {
  const std::string entries = EntriesOf({"a", std::string(300, 'b'), ""});
  EntryReader reader(entries);
  std::vector<std::string> values;
  for (std::string_view record; reader.Next(&record);) {
    values.emplace_back(*ParseRecord(record)->value);
  }
  EXPECT_FALSE(reader.damaged());
  EXPECT_EQ(reader.position(), entries.size());
  EXPECT_EQ(values, (std::vector<std::string>{"a", std::string(300, 'b'), ""}));
}

TEST(EntryReader, StopsAtDamage) {
  const std::string good = EntriesOf({"a"});
  for (const std::string& tail : {"\x1a"s, "\x1a\x05x"s, "\x12\x00"s, "\x80"s, "\x00"s}) {
    const std::string entries = good + tail;
    EntryReader reader(entries);
    std::string_view record;
    EXPECT_TRUE(reader.Next(&record));
    EXPECT_FALSE(reader.Next(&record));
    EXPECT_TRUE(reader.damaged());
    EXPECT_EQ(reader.position(), good.size());
  }
}

TEST(EntriesPrefix, EndsBetweenRecords) {
  const std::string entries = EntriesOf({"a", "bb", "ccc"});  // 5, 6 and 7 bytes.
  ASSERT_EQ(entries.size(), 18u);
  EXPECT_EQ(PrefixOfRecords(entries, 0), (EntriesPrefix{0, 0}));
  EXPECT_EQ(PrefixOfRecords(entries, 2), (EntriesPrefix{2, 11}));
  EXPECT_EQ(PrefixOfRecords(entries, 9), (EntriesPrefix{3, 18}));
  EXPECT_EQ(PrefixOfBytes(entries, 4), (EntriesPrefix{0, 0}));
  EXPECT_EQ(PrefixOfBytes(entries, 5), (EntriesPrefix{1, 5}));
  EXPECT_EQ(PrefixOfBytes(entries, 17), (EntriesPrefix{2, 11}));
  EXPECT_EQ(PrefixOfBytes(entries, 18), (EntriesPrefix{3, 18}));
  EXPECT_EQ(PrefixOfRecords(entries.substr(0, 10), 2), std::nullopt);
  EXPECT_EQ(PrefixOfBytes(entries.substr(0, 10), 100), std::nullopt);
}

TEST(RecordView, ReadsBackWhatWasAppended) {
  RecordView record;
  record.key = "";
  record.headers = {{"name", "value"}, {"", std::nullopt}, {"empty", ""}};
  record.event_time = EventTime{-5, -7};
  std::string bytes;
  AppendRecord(record, &bytes);
  const auto parsed = ParseRecord(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->key, "");
  EXPECT_EQ(parsed->value, std::nullopt);
  EXPECT_EQ(parsed->headers, record.headers);
  EXPECT_EQ(parsed->event_time, record.event_time);
}

TEST(RecordView, MergesAnEventTimeThatComesTwice) {
  const auto parsed = ParseRecord(
      "\x22\x02\x08\x05"
      "\x22\x02\x10\x07");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->event_time, (EventTime{5, 7}));
}

TEST(RecordView, RefusesWhatTheWalkRefuses) { EXPECT_FALSE(ParseRecord("\x08\x01")); }

constexpr StoredBatchHeader kHeader{
    .record_count = 2, .append_time = 1'700'000'000'123, .log_epoch = LogEpoch(7)};

std::string StoredBatch(const std::vector<std::string_view>& slices) {
  const EncodedBatchHeader header = EncodeBatchHeader(kHeader, slices);
  std::string stored(header.data(), header.size());
  for (std::string_view slice : slices) stored += slice;
  return stored;
}

TEST(StoredBatch, ReadsBackWhatWasEncoded) {
  const std::string entries = EntriesOf({"a", "b"});
  const std::string stored = StoredBatch({entries});
  StoredBatchView view;
  ASSERT_EQ(DecodeStoredBatch(stored, &view), StoredBatchError::kNone);
  EXPECT_EQ(view.header, kHeader);
  EXPECT_EQ(view.entries, entries);
}

TEST(StoredBatch, IsTheSameHoweverItsEntriesAreSliced) {
  const std::string entries = EntriesOf({std::string(1000, 'x'), "y"});
  const std::string_view all = entries;
  EXPECT_EQ(StoredBatch({all.substr(0, 3), "", all.substr(3, 500), all.substr(503)}),
            StoredBatch({all}));
}

TEST(StoredBatch, NeverChangesItsFormat) {
  // The bytes of format 1 as they were first written: data directories hold them.
  const std::string entries = EntriesOf({"a", "b"});
  const std::string stored = StoredBatch({entries});
  EXPECT_EQ(stored[0], 1);
  EXPECT_EQ(stored.substr(9, 20),
            "\x02\x00\x00\x00"
            "\x7b\x68\xe5\xcf\x8b\x01\x00\x00"
            "\x07\x00\x00\x00\x00\x00\x00\x00"s);
  EXPECT_EQ(stored.substr(29), entries);
  EXPECT_EQ(stored.substr(1, 8), "F\xF6$\xA3\x89\xC4\xE6\xF0"s);
}

TEST(StoredBatch, NoticesEveryFlippedBitAndEveryTruncation) {
  const std::string stored = StoredBatch({EntriesOf({"a", "b"})});
  StoredBatchView view;
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string damaged = stored;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const StoredBatchError error = DecodeStoredBatch(damaged, &view);
    EXPECT_EQ(error, bit < 8 ? StoredBatchError::kUnknownFormat : StoredBatchError::kBadChecksum);
  }
  for (size_t size = 0; size < stored.size(); ++size) {
    const StoredBatchError error = DecodeStoredBatch(stored.substr(0, size), &view);
    EXPECT_EQ(error, size < kStoredBatchHeaderBytes ? StoredBatchError::kTruncated
                                                    : StoredBatchError::kBadChecksum);
  }
}

TEST(StoredBatch, GivesTheHeaderWithoutTheEntries) {
  const std::string stored = StoredBatch({EntriesOf({"a", "b"})});
  StoredBatchHeader header;
  ASSERT_EQ(DecodeBatchHeader(stored.substr(0, kStoredBatchHeaderBytes), &header),
            StoredBatchError::kNone);
  EXPECT_EQ(header, kHeader);
}

TEST(StoredBatch, RefusesToHoldNoRecord) {
  const EncodedBatchHeader header = EncodeBatchHeader(StoredBatchHeader(), {});
  StoredBatchView view;
  EXPECT_EQ(DecodeStoredBatch({header.data(), header.size()}, &view), StoredBatchError::kBadCount);
}

}  // namespace
}  // namespace millrace::storage
