#include "tests/storage/failing_file_system.h"

#include <utility>

namespace millrace::storage {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// Does what `call` does, unless the operation is to fail.
template <typename Call>
IOStatus Try(FailingFileSystem& disk, DiskOperation operation, Call call) {
  IOStatus status = disk.Admit(operation);
  return status.ok() ? call() : status;
}

class SequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(FailingFileSystem& disk, std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), disk_(disk) {}

  IOStatus Read(size_t bytes, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
    return Try(disk_, DiskOperation::kRead, [&] {
      return FSSequentialFileOwnerWrapper::Read(bytes, options, result, scratch, context);
    });
  }

 private:
  FailingFileSystem& disk_;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(FailingFileSystem& disk, std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), disk_(disk) {}

  IOStatus Read(uint64_t offset, size_t bytes, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* context) const override {
    return Try(disk_, DiskOperation::kRead, [&] {
      return FSRandomAccessFileOwnerWrapper::Read(offset, bytes, options, result, scratch, context);
    });
  }

 private:
  FailingFileSystem& disk_;
};

class WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(FailingFileSystem& disk, std::unique_ptr<rocksdb::FSWritableFile> file,
               DiskOperation sync)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), sync_(sync) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    return Try(disk_, DiskOperation::kWrite,
               [&] { return FSWritableFileOwnerWrapper::Append(data, options, context); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* context) override {
    return Try(disk_, DiskOperation::kWrite, [&] {
      return FSWritableFileOwnerWrapper::Append(data, options, verification, context);
    });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return Try(disk_, sync_, [&] { return FSWritableFileOwnerWrapper::Sync(options, context); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Try(disk_, sync_, [&] { return FSWritableFileOwnerWrapper::Fsync(options, context); });
  }

 private:
  FailingFileSystem& disk_;
  const DiskOperation sync_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  RandomRWFile(FailingFileSystem& disk, std::unique_ptr<rocksdb::FSRandomRWFile> file)
      : FSRandomRWFileOwnerWrapper(std::move(file)), disk_(disk) {}

  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions& options,
                 IODebugContext* context) override {
    return Try(disk_, DiskOperation::kWrite,
               [&] { return FSRandomRWFileOwnerWrapper::Write(offset, data, options, context); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return Try(disk_, DiskOperation::kSyncWitness,
               [&] { return FSRandomRWFileOwnerWrapper::Sync(options, context); });
  }

 private:
  FailingFileSystem& disk_;
};

class Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(FailingFileSystem& disk, std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), disk_(disk) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Try(disk_, DiskOperation::kSyncDirectory,
               [&] { return FSDirectoryWrapper::Fsync(options, context); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* context,
                               const rocksdb::DirFsyncOptions& how) override {
    return Try(disk_, DiskOperation::kSyncDirectory,
               [&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, context, how); });
  }

 private:
  FailingFileSystem& disk_;
};

// Opens with `open`, and puts a Wrapper around what that gives.
template <typename Wrapper, typename File, typename Open, typename... More>
IOStatus OpenWrapped(FailingFileSystem& disk, std::unique_ptr<File>* result, Open open,
                     More... more) {
  std::unique_ptr<File> file;
  IOStatus status = Try(disk, DiskOperation::kOpen, [&] { return open(&file); });
  if (status.ok()) *result = std::make_unique<Wrapper>(disk, std::move(file), more...);
  return status;
}

}  // namespace

void FailingFileSystem::FailAt(DiskOperation operation, int64_t number, bool for_good) {
  operation_ = operation;
  left_ = number;
  for_good_ = for_good;
  failed_ = false;
  armed_ = true;
}

IOStatus FailingFileSystem::Admit(DiskOperation operation) {
  if (hook_) hook_(operation);
  if (!armed_ || operation != operation_) return IOStatus::OK();
  const int64_t left = left_.fetch_sub(1);
  if (left > 0 || (left < 0 && !for_good_)) return IOStatus::OK();
  failed_ = true;
  return IOStatus::IOError("the disk fails on purpose");
}

IOStatus FailingFileSystem::NewSequentialFile(const std::string& path,
                                              const rocksdb::FileOptions& options,
                                              std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                              IODebugContext* context) {
  return OpenWrapped<SequentialFile>(*this, result, [&](auto* file) {
    return FileSystemWrapper::NewSequentialFile(path, options, file, context);
  });
}

IOStatus FailingFileSystem::NewRandomAccessFile(
    const std::string& path, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext* context) {
  return OpenWrapped<RandomAccessFile>(*this, result, [&](auto* file) {
    return FileSystemWrapper::NewRandomAccessFile(path, options, file, context);
  });
}

IOStatus FailingFileSystem::NewWritableFile(const std::string& path,
                                            const rocksdb::FileOptions& options,
                                            std::unique_ptr<rocksdb::FSWritableFile>* result,
                                            IODebugContext* context) {
  const bool witness = path.find("/witness.") != std::string::npos;
  return OpenWrapped<WritableFile>(
      *this, result,
      [&](auto* file) { return FileSystemWrapper::NewWritableFile(path, options, file, context); },
      witness ? DiskOperation::kSyncWitness : DiskOperation::kSync);
}

IOStatus FailingFileSystem::NewRandomRWFile(const std::string& path,
                                            const rocksdb::FileOptions& options,
                                            std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                            IODebugContext* context) {
  return OpenWrapped<RandomRWFile>(*this, result, [&](auto* file) {
    return FileSystemWrapper::NewRandomRWFile(path, options, file, context);
  });
}

IOStatus FailingFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                         std::unique_ptr<rocksdb::FSDirectory>* result,
                                         IODebugContext* context) {
  return OpenWrapped<Directory>(*this, result, [&](auto* directory) {
    return FileSystemWrapper::NewDirectory(path, options, directory, context);
  });
}

IOStatus FailingFileSystem::RenameFile(const std::string& from, const std::string& to,
                                       const IOOptions& options, IODebugContext* context) {
  return Try(*this, DiskOperation::kRename,
             [&] { return FileSystemWrapper::RenameFile(from, to, options, context); });
}

IOStatus FailingFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                       IODebugContext* context) {
  return Try(*this, DiskOperation::kDelete,
             [&] { return FileSystemWrapper::DeleteFile(path, options, context); });
}

}  // namespace millrace::storage
