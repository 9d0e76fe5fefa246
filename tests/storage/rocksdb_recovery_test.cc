// A log that comes back from the disk with less than was acknowledged: refused, named, and opened
// all the same where that is accepted.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <map>
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
using testing::Test;

std::string BytesOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Store(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The files of a directory whose names begin like this, with what is in them.
std::map<std::string, std::string> FilesUnder(const fs::path& directory,
                                              const std::string& prefix = "") {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.starts_with(prefix)) files[name] = BytesOf(entry.path());
  }
  return files;
}

// ---- The files of the witness

class WitnessFilesTest : public Test {
 protected:
  WitnessFiles Files() const { return {nullptr, directory_.path().string()}; }
  fs::path PathOf(int slot) const {
    return directory_.path() / ("witness." + std::to_string(slot));
  }

  // What a new hub finds; 0: nothing.
  uint64_t LoadedSequence() const {
    const auto log = Files().Load();
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() && log->has_value() ? (*log)->sequence : 0;
  }

  TemporaryDirectory directory_;
};

TEST_F(WitnessFilesTest, LoadNothingWhereNothingWasStored) {
  const auto log = Files().Load();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_FALSE(log->has_value());
}

TEST_F(WitnessFilesTest, LoadWhatWasStoredLast) {
  WitnessFiles files = Files();
  WitnessedLog log{.sequence = 1,
                   .log_epoch = LogEpoch(3),
                   .manifest = {.number = 12, .bytes = 345},
                   .ends = {}};
  for (uint32_t i = 1; i <= 1000; ++i) {
    log.sequence = i;
    log.ends[PartitionId(i)] = Offset(i * 7);
    ASSERT_TRUE(files.Store(log).ok());
  }
  const auto loaded = Files().Load();
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->sequence, 1000u);
  EXPECT_EQ((*loaded)->log_epoch, LogEpoch(3));
  EXPECT_EQ((*loaded)->manifest, log.manifest);
  EXPECT_EQ((*loaded)->ends, log.ends);
}

TEST_F(WitnessFilesTest, FallBackToTheOtherWhateverHappenedToTheNewer) {
  WitnessFiles files = Files();
  for (uint64_t sequence = 1; sequence <= 4; ++sequence) {
    ASSERT_TRUE(
        files.Store({.sequence = sequence, .log_epoch = {}, .manifest = {}, .ends = {}}).ok());
  }
  const std::string newest = BytesOf(PathOf(0));
  ASSERT_EQ(LoadedSequence(), 4u);
  const size_t meaningful = 64;
  for (size_t i = 0; i < meaningful; ++i) {
    std::string damaged = newest;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    Store(PathOf(0), damaged);
    EXPECT_EQ(LoadedSequence(), 3u) << "with byte " << i << " flipped";
    Store(PathOf(0), newest.substr(0, i));
    EXPECT_EQ(LoadedSequence(), 3u) << "cut to " << i << " bytes";
  }
  fs::remove(PathOf(0));
  EXPECT_EQ(LoadedSequence(), 3u);
  Store(PathOf(1), "");
  EXPECT_EQ(LoadedSequence(), 0u);
}

// ---- Recovery

class RecoveryTest : public Test {
 protected:
  static constexpr int kWrites = 200;

  RecoveryTest() {
    Open();
    const auto topic = engine_->CreateTopic("orders", 2, {});
    EXPECT_TRUE(topic.ok()) << topic.status();
    partition_ = (*topic)->partitions[1];
  }

  void Open(bool accept_data_loss = false) {
    auto engine = TryToOpen(accept_data_loss);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }
  absl::StatusOr<std::unique_ptr<RocksDbEngine>> TryToOpen(bool accept_data_loss = false) {
    RocksDbOptions options = OptionsFor(data_dir());
    options.accept_data_loss = accept_data_loss;
    return RocksDbEngine::Open(std::move(options));
  }

  static std::string ValueOf(int64_t offset) {
    return "order " + std::to_string(offset) + std::string(100, 'x');
  }

  // One write each, so that each is a record of the write-ahead log.
  void WriteOrders(int from, int to, Durability durability = Durability::kSynced) {
    for (int i = from; i < to; ++i) {
      WriteSet set{.durability = durability};
      set.appends.push_back({.partition = partition_, .records = EncodeValues({ValueOf(i)})});
      ASSERT_TRUE(WriteToEnd(std::move(set)).ok());
    }
  }
  absl::StatusOr<WriteResult> WriteToEnd(WriteSet set) {
    std::promise<absl::StatusOr<WriteResult>> done;
    engine_->Write(std::move(set),
                   [&](absl::StatusOr<WriteResult> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }

  void Commit(const std::string& group, int64_t next_offset, const std::string& metadata = "") {
    WriteSet set{.durability = Durability::kSynced};
    set.commits.push_back({.group = group,
                           .partition = partition_,
                           .next_offset = Offset(next_offset),
                           .metadata = metadata});
    ASSERT_TRUE(WriteToEnd(std::move(set)).ok());
  }

  // Waits until the witness vouches for so many records.
  void WaitForWitness(int64_t end) {
    for (;;) {
      const auto log = WitnessFiles(nullptr, data_dir().string()).Load();
      ASSERT_TRUE(log.ok()) << log.status();
      if (log->has_value()) {
        const auto found = (*log)->ends.find(partition_);
        if (found != (*log)->ends.end() && found->second == Offset(end)) return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // What a kill leaves goes on to be the directory.
  void Kill() {
    const fs::path before = data_dir();
    ++generation_;
    fs::copy(before, data_dir(), fs::copy_options::recursive);
    engine_.reset();
  }

  fs::path data_dir() const { return directory_.path() / std::to_string(generation_); }
  // The write-ahead log with the records: the largest.
  fs::path LogFile() const {
    fs::path largest;
    for (const auto& entry : fs::directory_iterator(data_dir() / "db")) {
      if (entry.path().extension() != ".log") continue;
      if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
    }
    return largest;
  }
  void ChangeLog(const std::function<void(std::string&)>& change) {
    std::string bytes = BytesOf(LogFile());
    ASSERT_GT(bytes.size(), size_t{kWrites} * 100);
    change(bytes);
    Store(LogFile(), bytes);
  }
  // Damages the write of one order.
  void DamageOrder(int order) {
    ChangeLog([&](std::string& bytes) {
      const size_t place = bytes.find(ValueOf(order));
      ASSERT_NE(place, std::string::npos);
      bytes[place] = static_cast<char>(bytes[place] ^ 1);
    });
  }

  // Reads on from `from` until the end or an error; the next offset is where it stopped.
  struct Walk {
    Offset next;
    absl::Status status;
  };
  Walk ReadFrom(Offset from) {
    while (from < engine_->Status(partition_)->high_watermark) {
      std::promise<absl::StatusOr<ReadResult>> done;
      engine_->Read(partition_, from, {},
                    [&](absl::StatusOr<ReadResult> result) { done.set_value(std::move(result)); });
      const auto result = done.get_future().get();
      if (!result.ok()) return {from, result.status()};
      for (const ReadRecord& record : RecordsOf(*result)) {
        if (record.offset < from.value()) continue;
        EXPECT_EQ(record.value, ValueOf(record.offset));
        from = Offset(record.offset + 1);
      }
    }
    return {from, absl::OkStatus()};
  }

  TemporaryDirectory directory_;
  int generation_ = 0;
  std::unique_ptr<RocksDbEngine> engine_;
  PartitionId partition_;
};

TEST_F(RecoveryTest, OpensALogThatHoldsAllThatItsWitnessVouchesFor) {
  WriteOrders(0, kWrites);
  WaitForWitness(kWrites);
  Kill();
  Open();
  const Walk walk = ReadFrom(Offset(0));
  EXPECT_TRUE(walk.status.ok()) << walk.status;
  EXPECT_EQ(walk.next, Offset(kWrites));
}

TEST_F(RecoveryTest, TakesAnUnacknowledgedTailForNothingSpecial) {
  WriteOrders(0, kWrites);
  WaitForWitness(kWrites);
  Kill();
  ChangeLog([](std::string& bytes) { bytes += std::string(1000, '\x55'); });
  Open();
  EXPECT_EQ(ReadFrom(Offset(0)).next, Offset(kWrites));
}

TEST_F(RecoveryTest, RefusesALogWithOneBitFlippedAndNamesWhatIsMissing) {
  WriteOrders(0, kWrites);
  WaitForWitness(kWrites);
  Kill();
  DamageOrder(50);
  const auto before = FilesUnder(data_dir() / "db");
  const auto engine = TryToOpen();
  ASSERT_EQ(engine.status().code(), absl::StatusCode::kDataLoss) << engine.status();
  EXPECT_NE(engine.status().message().find("orders/1 from offset 50 to "), std::string::npos)
      << engine.status();
  EXPECT_EQ(FilesUnder(data_dir() / "db"), before) << "A look changes nothing.";
}

TEST_F(RecoveryTest, RefusesALogThatWasCutShort) {
  WriteOrders(0, kWrites);
  WaitForWitness(kWrites);
  Kill();
  ChangeLog([](std::string& bytes) { bytes.resize(bytes.find(ValueOf(120))); });
  const auto engine = TryToOpen();
  ASSERT_EQ(engine.status().code(), absl::StatusCode::kDataLoss) << engine.status();
  EXPECT_NE(engine.status().message().find("orders/1 from offset 120 to 199"), std::string::npos)
      << engine.status();
}

TEST_F(RecoveryTest, RefusesADirectoryWhoseLogIsGone) {
  WriteOrders(0, kWrites);
  WaitForWitness(kWrites);
  Kill();
  for (const auto& entry : fs::directory_iterator(data_dir() / "db")) fs::remove(entry.path());
  EXPECT_EQ(TryToOpen().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RecoveryTest, OpensWithoutWhatIsMissingWhereThatIsAccepted) {
  WriteOrders(0, kWrites);
  WaitForWitness(kWrites);
  const LogEpoch epoch = engine_->log_epoch();
  Kill();
  DamageOrder(50);
  Open(true);
  // RocksDB leaves out the rest of a block of 32 KiB.
  ASSERT_EQ(engine_->lost().size(), 1u) << ToText(engine_->lost());
  const LostRange lost = engine_->lost()[0];
  EXPECT_EQ(lost.partition, "orders/1");
  EXPECT_EQ(lost.from, Offset(50));
  EXPECT_LT(lost.to, Offset(kWrites));
  EXPECT_GT(engine_->log_epoch(), epoch);
  Walk walk = ReadFrom(Offset(0));
  EXPECT_EQ(walk.next, Offset(50));
  EXPECT_EQ(ReasonWord(walk.status), "DATA_LOSS");
  walk = ReadFrom(lost.to);
  EXPECT_TRUE(walk.status.ok()) << walk.status;
  EXPECT_EQ(walk.next, Offset(kWrites));
}

TEST_F(RecoveryTest, GivesNoAcknowledgedOffsetToAnotherRecord) {
  WriteOrders(0, kWrites);
  Commit("billing", kWrites);
  WaitForWitness(kWrites);
  Kill();
  ChangeLog([](std::string& bytes) { bytes.resize(bytes.find(ValueOf(120))); });
  Open(true);
  EXPECT_EQ(ToText(engine_->lost()), "orders/1 from offset 120 to 199");
  EXPECT_EQ(ReasonWord(ReadFrom(Offset(0)).status), "DATA_LOSS");
  WriteOrders(kWrites, kWrites + 1);
  EXPECT_EQ(ReadFrom(Offset(kWrites)).next, Offset(kWrites + 1));
  engine_.reset();
  Open();
  EXPECT_TRUE(engine_->lost().empty());
  EXPECT_EQ(ReadFrom(Offset(0)).next, Offset(120));
  EXPECT_EQ(ReadFrom(Offset(kWrites)).next, Offset(kWrites + 1));
}

TEST_F(RecoveryTest, MovesCommitsBackThatLieBeyondTheEnd) {
  WriteOrders(0, kWrites / 2);
  WaitForWitness(kWrites / 2);
  const auto witness = FilesUnder(data_dir(), "witness");
  WriteOrders(kWrites / 2, kWrites);
  // What is written behind a damaged block is found.
  for (int i = 0; i < 10; ++i) Commit("padding", 1, std::string(4000, 'x'));
  Commit("billing", kWrites);
  Kill();
  // The witness is older than the last records, as it may be for a moment.
  for (const auto& [name, bytes] : witness) Store(data_dir() / name, bytes);
  DamageOrder(kWrites - 1);
  Open(true);
  const Offset end = engine_->Status(partition_)->high_watermark;
  EXPECT_EQ(end, Offset(kWrites - 1));
  const auto commits = engine_->CommittedOffsets("billing");
  ASSERT_TRUE(commits.ok() && commits->size() == 1) << commits.status();
  EXPECT_EQ((*commits)[0].next_offset, end);
}

TEST_F(RecoveryTest, AcceptingALossOfNothingChangesNothing) {
  WriteOrders(0, kWrites);
  Commit("billing", 70);
  WaitForWitness(kWrites);
  Kill();
  Open(true);
  EXPECT_TRUE(engine_->lost().empty()) << ToText(engine_->lost());
  EXPECT_EQ(ReadFrom(Offset(0)).next, Offset(kWrites));
  EXPECT_EQ(engine_->CommittedOffsets("billing")->at(0).next_offset, Offset(70));
}

}  // namespace
}  // namespace millrace::storage
