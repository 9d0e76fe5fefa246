// Damage in every kind of file that the engine keeps: bits flipped, files cut short, files gone. It
// is found and named, or it does no harm; wrong records are never served, and missing ones never
// passed over in silence.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "storage/error.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "storage/rocksdb/witness_files.h"
#include "tests/storage/contract/engine_contract.h"
#include "tests/storage/rocksdb_engine_factory.h"

namespace millrace::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kPartitions = 3;
constexpr int kRounds = 40;  // Of writes to all partitions.
constexpr int kFlushedRounds = 30;
constexpr int kDamagesOfAFile = 12;

std::string ValueOf(int partition, int64_t offset) {
  // Some records are large, so that they lie in blob files.
  const size_t bytes = offset % 10 == 9 ? 3000 : 120;
  std::string value = std::to_string(partition) + "/" + std::to_string(offset) + " ";
  std::mt19937 random(static_cast<uint32_t>(offset * kPartitions + partition));
  while (value.size() < bytes) value += static_cast<char>('a' + random() % 26);
  return value;
}

std::string BytesOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Somewhere in a file: mostly within what was written to it, which may have a long rest of zeros
// behind it (the write-ahead log has), now and then anywhere.
size_t PlaceIn(const std::string& bytes, std::mt19937& random) {
  const size_t last = bytes.find_last_not_of('\0');
  const bool anywhere = random() % 4 == 0 || last == std::string::npos;
  return random() % (anywhere ? bytes.size() : last + 1);
}

// What kind of file it is, for the message and for choosing one of each: "db/000012.sst" -> "sst".
std::string KindOf(const fs::path& path) {
  const std::string name = path.filename().string();
  if (path.has_extension() && !name.starts_with("witness")) return path.extension().string();
  return name.substr(0, name.find_first_of("-."));
}

class DamageTest : public testing::Test {
 protected:
  static RocksDbOptions Options(const fs::path& data_dir) {
    RocksDbOptions options = OptionsFor(data_dir);
    options.min_blob_bytes = 2000;
    options.records_memtable_bytes = 64 << 10;
    return options;
  }

  // A directory as a kill leaves it: some of it written out of memory, some in the write-ahead log
  // alone, all of it synced and witnessed.
  DamageTest() {
    const fs::path data_dir = directory_.path() / "running";
    auto engine = RocksDbEngine::Open(Options(data_dir));
    EXPECT_TRUE(engine.ok()) << engine.status();
    EXPECT_TRUE((*engine)->CreateTopic("orders", kPartitions, {}).ok());
    for (int64_t offset = 0; offset < kRounds; ++offset) {
      if (offset == kFlushedRounds) FlushAll(engine, data_dir);
      for (int p = 0; p < kPartitions; ++p) Append(**engine, p, offset);
      Commit(**engine, offset);
    }
    WaitForWitness(data_dir, (*engine)->FindTopic("orders")->partitions);
    fs::copy(data_dir, whole(), fs::copy_options::recursive);
  }

  fs::path whole() const { return directory_.path() / "whole"; }

  // A restart writes out of memory what there is.
  static void FlushAll(absl::StatusOr<std::unique_ptr<RocksDbEngine>>& engine,
                       const fs::path& data_dir) {
    engine->reset();
    engine = RocksDbEngine::Open(Options(data_dir));
    ASSERT_TRUE(engine.ok()) << engine.status();
  }

  static void WriteTo(Engine& engine, WriteSet set) {
    std::promise<absl::Status> done;
    engine.Write(std::move(set),
                 [&](absl::StatusOr<WriteResult> result) { done.set_value(result.status()); });
    const absl::Status status = done.get_future().get();
    ASSERT_TRUE(status.ok()) << status;
  }
  static void Append(Engine& engine, int partition, int64_t offset) {
    WriteSet set{.durability = Durability::kSynced};
    set.appends.push_back({.partition = engine.FindTopic("orders")->partitions[partition],
                           .records = EncodeValues({ValueOf(partition, offset)})});
    WriteTo(engine, std::move(set));
  }
  static void Commit(Engine& engine, int64_t next_offset) {
    WriteSet set{.durability = Durability::kSynced};
    set.commits.push_back({.group = "billing",
                           .partition = engine.FindTopic("orders")->partitions[0],
                           .next_offset = Offset(next_offset)});
    WriteTo(engine, std::move(set));
  }
  static void WaitForWitness(const fs::path& data_dir, const std::vector<PartitionId>& partitions) {
    const auto vouched = [&] {
      const auto log = WitnessFiles(nullptr, data_dir.string()).Load();
      if (!log.ok() || !log->has_value()) return false;
      return std::all_of(partitions.begin(), partitions.end(), [&](PartitionId id) {
        const auto end = (*log)->ends.find(id);
        return end != (*log)->ends.end() && end->second == Offset(kRounds);
      });
    };
    while (!vouched()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  std::vector<fs::path> FilesOf(const fs::path& data_dir) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(data_dir)) {
      if (entry.is_regular_file() && entry.file_size() > 0) {
        files.push_back(fs::relative(entry.path(), data_dir));
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  // ---- The judgement

  enum class Outcome { kHarmless, kAnswersDataLoss, kRefused };

  // What becomes of a copy in which `damage` was done to one file. Fails the test if anything that
  // it serves is not what was written, or if something is missing that is not told.
  Outcome Judge(const fs::path& file, const std::function<void(const fs::path&)>& damage) {
    const fs::path copy = directory_.path() / "copy";
    fs::remove_all(copy);
    fs::copy(whole(), copy, fs::copy_options::recursive);
    damage(copy / file);
    auto engine = RocksDbEngine::Open(Options(copy));
    if (!engine.ok()) {
      EXPECT_FALSE(engine.status().message().empty());
      return Outcome::kRefused;
    }
    const TopicPtr topic = (*engine)->FindTopic("orders");
    if (topic == nullptr || topic->partitions.size() != kPartitions) {
      ADD_FAILURE() << "The topic is not what it was.";
      return Outcome::kRefused;
    }
    bool lost = false;
    for (int p = 0; p < kPartitions; ++p) lost |= ReadsWithLoss(**engine, topic->partitions[p], p);
    const auto committed = (*engine)->CommittedOffsets("billing");
    EXPECT_TRUE(committed.ok() && committed->size() == 1 &&
                committed->at(0).next_offset == Offset(kRounds - 1))
        << "The committed offset is not what it was.";
    return lost ? Outcome::kAnswersDataLoss : Outcome::kHarmless;
  }

  // Reads a partition from its start to its end, over what answers DATA_LOSS.
  static bool ReadsWithLoss(Engine& engine, PartitionId id, int partition) {
    EXPECT_EQ(engine.Status(id)->high_watermark, Offset(kRounds));
    bool lost = false;
    Offset next;
    while (next < Offset(kRounds)) {
      std::promise<absl::StatusOr<ReadResult>> done;
      engine.Read(id, next, {},
                  [&](absl::StatusOr<ReadResult> read) { done.set_value(std::move(read)); });
      const auto read = done.get_future().get();
      if (ReasonWord(read) == "DATA_LOSS") {
        lost = true;
        next = Offset(std::stoll(MetadataOf(read.status()).at("to")));
        continue;
      }
      if (!read.ok()) {
        ADD_FAILURE() << read.status();
        return true;
      }
      const Offset before = next;
      for (const ReadRecord& record : RecordsOf(*read)) {
        if (record.offset < next.value()) continue;
        EXPECT_EQ(record.offset, next.value()) << "Records are passed over.";
        EXPECT_EQ(record.value, ValueOf(partition, record.offset));
        next = Offset(record.offset + 1);
      }
      if (next == before) {
        ADD_FAILURE() << "Nothing to read at offset " << next.value();
        return true;
      }
    }
    return lost;
  }

  // Damages every file in turn, and answers how often what came of it, by the kind of the file.
  std::map<std::string, std::map<Outcome, int>> DamageEveryFile(
      int times, const std::function<void(const fs::path&, std::mt19937&)>& damage) {
    std::map<std::string, std::map<Outcome, int>> outcomes;
    for (const fs::path& file : FilesOf(whole())) {
      for (int i = 0; i < times && !HasFailure(); ++i) {
        SCOPED_TRACE(file.string() + ", damage " + std::to_string(i));
        std::mt19937 random(static_cast<uint32_t>(i));
        ++outcomes[KindOf(file)][Judge(file, [&](const fs::path& path) { damage(path, random); })];
      }
    }
    return outcomes;
  }

  TemporaryDirectory directory_{InMemory()};
};

TEST_F(DamageTest, HasFilesOfEveryKindToDamage) {
  std::map<std::string, int> kinds;
  for (const fs::path& file : FilesOf(whole())) ++kinds[KindOf(file)];
  for (const char* kind : {".sst", ".blob", ".log", "MANIFEST", "CURRENT", "OPTIONS", "IDENTITY",
                           "witness", "format"}) {
    EXPECT_GE(kinds[kind], 1) << kind;
  }
  EXPECT_EQ(Judge("format", [](const fs::path&) {}), Outcome::kHarmless);
}

TEST_F(DamageTest, AFlippedBitIsFoundOrDoesNoHarm) {
  auto outcomes = DamageEveryFile(kDamagesOfAFile, [](const fs::path& path, std::mt19937& random) {
    std::string bytes = BytesOf(path);
    bytes[PlaceIn(bytes, random)] ^= static_cast<char>(1 << random() % 8);
    std::ofstream(path, std::ios::binary) << bytes;
  });
  // The test would show nothing if it never met what it is about.
  EXPECT_GE(outcomes[".log"][Outcome::kRefused], 1);
  EXPECT_GE(outcomes[".blob"][Outcome::kAnswersDataLoss], 1);
  EXPECT_GE(outcomes["witness"][Outcome::kHarmless], kDamagesOfAFile);
}

TEST_F(DamageTest, AFileCutShortIsFoundOrDoesNoHarm) {
  auto outcomes = DamageEveryFile(kDamagesOfAFile, [](const fs::path& path, std::mt19937& random) {
    fs::resize_file(path, PlaceIn(BytesOf(path), random));
  });
  EXPECT_GE(outcomes[".log"][Outcome::kRefused], 1);
  EXPECT_GE(outcomes["MANIFEST"][Outcome::kRefused], 1);
}

TEST_F(DamageTest, AMissingFileIsFoundOrDoesNoHarm) {
  DamageEveryFile(1, [](const fs::path& path, std::mt19937&) { fs::remove(path); });
}

}  // namespace
}  // namespace millrace::storage
