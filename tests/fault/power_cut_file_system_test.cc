// The disk that tests cut the power of: what it keeps, and what it may lose.
#include "tests/fault/power_cut_file_system.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace millrace::fault {
namespace {

using rocksdb::IOOptions;

constexpr uint64_t kSeeds = 200;

// Writes, without syncing.
void Append(PowerCutFileSystem& disk, const std::string& path, const std::string& bytes,
            bool sync = false) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  ASSERT_TRUE(disk.ReopenWritableFile(path, {}, &file, nullptr).ok());
  ASSERT_TRUE(file->Append(bytes, IOOptions(), nullptr).ok());
  if (sync) {
    ASSERT_TRUE(file->Sync(IOOptions(), nullptr).ok());
  }
}

void SyncDirectory(PowerCutFileSystem& disk, const std::string& path) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  ASSERT_TRUE(disk.NewDirectory(path, IOOptions(), &directory, nullptr).ok());
  ASSERT_TRUE(directory->Fsync(IOOptions(), nullptr).ok());
}

// "(none)" where there is no such file.
std::string Read(PowerCutFileSystem& disk, const std::string& path) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  if (!disk.NewSequentialFile(path, {}, &file, nullptr).ok()) return "(none)";
  std::string content(1 << 20, 0);
  rocksdb::Slice read;
  EXPECT_TRUE(file->Read(content.size(), IOOptions(), &read, content.data(), nullptr).ok());
  return read.ToString();
}

// What a file may be after a cut, over many seeds.
template <typename Prepare>
std::set<std::string> LeftOf(const std::string& path, Prepare prepare,
                             DirectoryOrder order = DirectoryOrder::kJournaled) {
  std::set<std::string> left;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto disk = PowerCutFileSystem::Make({"/d"}, seed, order);
    prepare(*disk);
    left.insert(Read(*disk->AfterCut(), path));
  }
  return left;
}

TEST(PowerCutFileSystem, KeepsWhatIsSynced) {
  const auto left = LeftOf("/d/file", [](PowerCutFileSystem& disk) {
    Append(disk, "/d/file", "synced", true);
    SyncDirectory(disk, "/d");
  });
  EXPECT_EQ(left, std::set<std::string>{"synced"});
}

TEST(PowerCutFileSystem, MayLoseTearOrKeepWhatIsNotSynced) {
  const std::string unsynced(100, 'x');
  const auto left = LeftOf("/d/file", [&](PowerCutFileSystem& disk) {
    Append(disk, "/d/file", "synced", true);
    SyncDirectory(disk, "/d");
    Append(disk, "/d/file", unsynced);
  });
  EXPECT_TRUE(left.contains("synced"));
  EXPECT_TRUE(left.contains("synced" + unsynced));
  int torn = 0;
  int with_zeros = 0;
  int with_garbage = 0;
  for (const std::string& content : left) {
    ASSERT_EQ(content.substr(0, 6), "synced");
    const std::string rest = content.substr(6);
    const size_t kept = std::min(rest.find_first_not_of('x'), rest.size());
    if (kept == rest.size()) ++torn;
    if (kept < rest.size() && rest.find_first_not_of('\0', kept) == std::string::npos) ++with_zeros;
    if (kept < rest.size() && rest[kept] != 0) ++with_garbage;
  }
  EXPECT_GT(torn, 2);
  EXPECT_GT(with_zeros, 2);
  EXPECT_GT(with_garbage, 2);
}

TEST(PowerCutFileSystem, MayKeepALaterBlockWithoutAnEarlierOne) {
  const std::string blocks = std::string(4096, 'a') + std::string(4096, 'b');
  const auto left = LeftOf("/d/file", [&](PowerCutFileSystem& disk) {
    Append(disk, "/d/file", blocks);
    SyncDirectory(disk, "/d");
  });
  EXPECT_TRUE(left.contains(std::string(4096, 0) + std::string(4096, 'b')));
}

TEST(PowerCutFileSystem, TakesARangeSyncForAHint) {
  const auto left = LeftOf("/d/file", [](PowerCutFileSystem& disk) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    ASSERT_TRUE(disk.NewWritableFile("/d/file", {}, &file, nullptr).ok());
    ASSERT_TRUE(file->Append("bytes", IOOptions(), nullptr).ok());
    ASSERT_TRUE(file->RangeSync(0, 5, IOOptions(), nullptr).ok());
    SyncDirectory(disk, "/d");
  });
  EXPECT_TRUE(left.contains(""));
}

TEST(PowerCutFileSystem, MayLoseAFileWhoseDirectoryIsNotSynced) {
  const auto left =
      LeftOf("/d/file", [](PowerCutFileSystem& disk) { Append(disk, "/d/file", "synced", true); });
  EXPECT_EQ(left, (std::set<std::string>{"(none)", "synced"}));
}

TEST(PowerCutFileSystem, RenamesAtOnceOrNotAtAll) {
  const auto left = LeftOf("/d/name", [](PowerCutFileSystem& disk) {
    Append(disk, "/d/name", "old", true);
    Append(disk, "/d/new", "new", true);
    SyncDirectory(disk, "/d");
    ASSERT_TRUE(disk.RenameFile("/d/new", "/d/name", IOOptions(), nullptr).ok());
  });
  EXPECT_EQ(left, (std::set<std::string>{"old", "new"}));
}

TEST(PowerCutFileSystem, KeepsDirectoryEntriesInOrderWithAJournal) {
  const auto second_without_first = [](DirectoryOrder order) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const auto disk = PowerCutFileSystem::Make({"/d"}, seed, order);
      Append(*disk, "/d/first", "1", true);
      Append(*disk, "/d/second", "2", true);
      const auto left = disk->AfterCut();
      if (Read(*left, "/d/first") == "(none)" && Read(*left, "/d/second") == "2") return true;
    }
    return false;
  };
  EXPECT_FALSE(second_without_first(DirectoryOrder::kJournaled));
  EXPECT_TRUE(second_without_first(DirectoryOrder::kAny));
}

TEST(PowerCutFileSystem, CutsBeforeTheOperationItIsTold) {
  for (int64_t number = 1; number <= 4; ++number) {
    const auto disk = PowerCutFileSystem::Make({"/d"}, 1);
    disk->CutAtOperation(number);
    Append(*disk, "/d/file", "bytes", true);  // Create, append, sync.
    SyncDirectory(*disk, "/d");
    EXPECT_TRUE(disk->is_cut());
    EXPECT_EQ(disk->operations(), 4);
    // Before its creation there is no file; before the last operation its content is durable.
    const std::string left = Read(*disk->AfterCut(), "/d/file");
    EXPECT_TRUE(left == "(none)" || number > 1) << left;
    EXPECT_TRUE(left == "(none)" || left == "bytes" || number < 4) << left;
  }
}

TEST(PowerCutFileSystem, GoesOnForTheOldProcessAndKeepsNothingOfThat) {
  const auto disk = PowerCutFileSystem::Make({"/d"}, 1);
  disk->Cut();
  Append(*disk, "/d/file", "bytes", true);
  SyncDirectory(*disk, "/d");
  EXPECT_EQ(Read(*disk, "/d/file"), "bytes");
  EXPECT_EQ(Read(*disk->AfterCut(), "/d/file"), "(none)");
}

TEST(PowerCutFileSystem, FailsAfterTheCutWhereThatIsWanted) {
  const auto disk = PowerCutFileSystem::Make({"/d"}, 1);
  disk->FailAfterCut();
  disk->Cut();
  EXPECT_TRUE(disk->FileExists("/d", IOOptions(), nullptr).IsIOError());
  EXPECT_TRUE(disk->AfterCut()->FileExists("/d", IOOptions(), nullptr).ok());
}

TEST(PowerCutFileSystem, LeavesTheSameForTheSameSeed) {
  const auto left = [](uint64_t seed) {
    const auto disk = PowerCutFileSystem::Make({"/d"}, seed);
    Append(*disk, "/d/file", std::string(10000, 'x'));
    return Read(*disk->AfterCut(), "/d/file");
  };
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) EXPECT_EQ(left(seed), left(seed));
}

}  // namespace
}  // namespace millrace::fault
