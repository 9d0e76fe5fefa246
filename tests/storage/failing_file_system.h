// A file system in front of another whose operations can be made to fail: the n-th of one kind, and
// from then on all of that kind or none.
//
// Safe from any thread.
#pragma once

#include <rocksdb/file_system.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace millrace::storage {

// What a log asks of a disk. kSync is of a file; the witness, which a thread of its own writes, and
// directories have theirs.
enum class DiskOperation {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kSyncWitness,
  kSyncDirectory,
  kRename,
  kDelete
};
inline constexpr std::array kDiskOperations{
    DiskOperation::kOpen,   DiskOperation::kRead,        DiskOperation::kWrite,
    DiskOperation::kSync,   DiskOperation::kSyncWitness, DiskOperation::kSyncDirectory,
    DiskOperation::kRename, DiskOperation::kDelete};

class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // In front of the operating system's.
  FailingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  // From now on: the operation `number` of this kind fails with an I/O error, counted from 0, and
  // if `for_good` so do all of that kind after it.
  void FailAt(DiskOperation operation, int64_t number, bool for_good);

  // From now on: `hook` is called before each operation, on the thread that asks for it. Set it
  // while nothing uses the disk.
  void CallBefore(std::function<void(DiskOperation)> hook) { hook_ = std::move(hook); }

  // Whether an operation has failed on purpose since FailAt.
  bool failed() const { return failed_.load(); }

  // Asked before each operation by what this file system hands out.
  rocksdb::IOStatus Admit(DiskOperation operation);

  const char* Name() const override { return "FailingFileSystem"; }
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
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;

 private:
  std::function<void(DiskOperation)> hook_;
  std::atomic<bool> armed_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<DiskOperation> operation_ = DiskOperation::kOpen;
  std::atomic<int64_t> left_ = 0;  // Until the one that fails.
  std::atomic<bool> for_good_ = false;
};

}  // namespace millrace::storage
