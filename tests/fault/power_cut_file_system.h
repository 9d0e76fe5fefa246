// A file system for RocksDB, in memory, whose power can be cut: between any two operations, or at a
// chosen one, in the middle of whatever RocksDB is doing. What the cut leaves is drawn by seed (see
// Disk), and a new log opens on it.
//
//   auto disk = PowerCutFileSystem::Make({"/data"}, seed);
//   disk->CutAtOperation(100);
//   ... run a log on `disk`, believe no answer that comes when it is cut ...
//   auto next = disk->AfterCut();   // The log of before may still hold `disk`.
//
// A process does not live to see its power cut. Here it does, and its threads have to come to an
// end: by default the old disk goes on for them as if nothing had happened, and nothing of that is
// left. Errors instead are a trial of another kind: RocksDB as Debian builds it ends the process
// where a file is used again that has given one.
//
// Safe from any thread.
#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/fault/disk.h"

namespace millrace::fault {

class PowerCutFileSystem : public rocksdb::FileSystem {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // An empty disk but for these directories, which are durable. Parents come first.
  // What cuts leave follows from the seed.
  static std::shared_ptr<PowerCutFileSystem> Make(
      const std::vector<std::string>& directories, uint64_t seed,
      DirectoryOrder order = DirectoryOrder::kJournaled);

  // Operations so far that change something or make it durable: create, write, truncate, sync,
  // rename, delete and so on, whether they succeeded or not.
  int64_t operations() const;

  // Cuts the power before the operation with this number, the next one having operations() + 1.
  void CutAtOperation(int64_t number);

  // From the cut on every operation fails, a look at something too.
  void FailAfterCut();

  void Cut();  // Idempotent.
  bool is_cut() const;

  // What the cut left, with the power back on. Cuts, if that has not happened. Once.
  std::shared_ptr<PowerCutFileSystem> AfterCut();

  const char* Name() const override { return "PowerCutFileSystem"; }
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus FileExists(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetChildren(const std::string& path, const rocksdb::IOOptions& options,
                                std::vector<std::string>* result,
                                rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t size,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options,
                                uint64_t* size, rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetFileModificationTime(const std::string& path,
                                            const rocksdb::IOOptions& options, uint64_t* time,
                                            rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus UnlockFile(rocksdb::FileLock* lock, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetTestDirectory(const rocksdb::IOOptions& options, std::string* path,
                                     rocksdb::IODebugContext* context) override;
  // Log files of RocksDB's own are not kept.
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* result,
                              rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetAbsolutePath(const std::string& path, const rocksdb::IOOptions& options,
                                    std::string* absolute,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                 uint64_t* bytes, rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus IsDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                bool* is_directory, rocksdb::IODebugContext* context) override;

  // What open files share with the file system, and may outlive it with.
  struct State {
    // Does something to the disk as one operation, or with it unnoticed; fails once the power is
    // cut.
    rocksdb::IOStatus Change(const std::function<rocksdb::IOStatus(Disk&)>& change);
    rocksdb::IOStatus Look(const std::function<rocksdb::IOStatus(Disk&)>& look);

    void Cut();  // Under mutex.

    mutable std::mutex mutex;  // Guards what follows.
    uint64_t seed = 0;
    Disk disk;
    Disk left;  // By the cut.
    std::set<std::string> locked;
    int64_t operations = 0;
    int64_t cut_at = kNever;
    bool cut = false;
    bool fails_after_cut = false;
  };

 private:
  PowerCutFileSystem(Disk disk, uint64_t seed) : state_(std::make_shared<State>()) {
    state_->disk = std::move(disk);
    state_->seed = seed;
  }

  rocksdb::IOStatus Find(const std::string& path, Disk::FilePtr* file) const;

  const std::shared_ptr<State> state_;
};

}  // namespace millrace::fault
