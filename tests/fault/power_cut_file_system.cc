#include "tests/fault/power_cut_file_system.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <utility>

namespace millrace::fault {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using State = PowerCutFileSystem::State;

std::string_view ToView(const Slice& slice) { return {slice.data(), slice.size()}; }

// Without doubled slashes and one at the end.
std::string Clean(const std::string& path) {
  std::string clean;
  for (const char c : path) {
    if (c != '/' || clean.empty() || clean.back() != '/') clean += c;
  }
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

IOStatus NoSuch(const std::string& path) {
  return IOStatus::PathNotFound("no such file or directory", path);
}

IOStatus ReadFrom(const Disk::File& file, uint64_t offset, size_t size, Slice* result,
                  char* scratch) {
  const std::string& content = file.content;
  const size_t begin = std::min<size_t>(offset, content.size());
  const size_t read = std::min(size, content.size() - begin);
  std::memcpy(scratch, content.data() + begin, read);
  *result = Slice(scratch, read);
  return IOStatus::OK();
}

// What all open files are.
class OpenFile {
 public:
  OpenFile(std::shared_ptr<State> state, Disk::FilePtr file)
      : state_(std::move(state)), file_(std::move(file)) {}

 protected:
  IOStatus ReadAt(uint64_t offset, size_t size, Slice* result, char* scratch) const {
    return state_->Look([&](Disk&) { return ReadFrom(*file_, offset, size, result, scratch); });
  }
  IOStatus WriteAt(uint64_t offset, const Slice& bytes) {
    return state_->Change([&](Disk&) {
      Disk::Write(*file_, offset, ToView(bytes));
      return IOStatus::OK();
    });
  }
  IOStatus SyncFile() {
    return state_->Change([&](Disk&) {
      Disk::Sync(*file_);
      return IOStatus::OK();
    });
  }

  const std::shared_ptr<State> state_;
  const Disk::FilePtr file_;
};

class SequentialFile final : public rocksdb::FSSequentialFile, OpenFile {
 public:
  using OpenFile::OpenFile;

  IOStatus Read(size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    const IOStatus status = ReadAt(position_, size, result, scratch);
    if (status.ok()) position_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t bytes) override {
    position_ += bytes;
    return IOStatus::OK();
  }

 private:
  uint64_t position_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile, OpenFile {
 public:
  using OpenFile::OpenFile;

  IOStatus Read(uint64_t offset, size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return ReadAt(offset, size, result, scratch);
  }
  IOStatus Prefetch(uint64_t, size_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
};

class RandomRWFile final : public rocksdb::FSRandomRWFile, OpenFile {
 public:
  using OpenFile::OpenFile;

  IOStatus Write(uint64_t offset, const Slice& bytes, const IOOptions&, IODebugContext*) override {
    return WriteAt(offset, bytes);
  }
  IOStatus Read(uint64_t offset, size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return ReadAt(offset, size, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return SyncFile(); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
};

class WritableFile final : public rocksdb::FSWritableFile, OpenFile {
 public:
  WritableFile(std::shared_ptr<State> state, Disk::FilePtr file,
               const rocksdb::FileOptions& options)
      : FSWritableFile(options), OpenFile(std::move(state), std::move(file)) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& bytes, const IOOptions&, IODebugContext*) override {
    return state_->Change([&](Disk&) {
      Disk::Write(*file_, file_->content.size(), ToView(bytes));
      return IOStatus::OK();
    });
  }
  using FSWritableFile::PositionedAppend;
  IOStatus PositionedAppend(const Slice& bytes, uint64_t offset, const IOOptions&,
                            IODebugContext*) override {
    return WriteAt(offset, bytes);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    return state_->Change([&](Disk&) {
      Disk::Truncate(*file_, size);
      return IOStatus::OK();
    });
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return SyncFile(); }
  // A hint to begin with it, which promises nothing.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(state_->mutex);
    return file_->content.size();
  }
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return state_->Change([&](Disk& disk) {
      disk.SyncDirectory(path_);
      return IOStatus::OK();
    });
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

class Lock final : public rocksdb::FileLock {
 public:
  explicit Lock(std::string path) : path(std::move(path)) {}
  const std::string path;
};

class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
  size_t GetLogFileSize() const override { return 0; }
};

}  // namespace

// ---- The power

void State::Cut() {
  if (cut) return;
  cut = true;
  // RocksDB takes a MANIFEST for damaged that does not simply end: a file system has to see to
  // that.
  const auto is_manifest = [](const std::string& path) {
    return path.find("/MANIFEST-") != std::string::npos;
  };
  left = disk.AfterCut(seed, is_manifest);
}

IOStatus State::Change(const std::function<IOStatus(Disk&)>& change) {
  const std::lock_guard lock(mutex);
  if (++operations >= cut_at) Cut();
  if (cut && fails_after_cut) return IOStatus::IOError("the power is cut");
  return change(disk);
}

IOStatus State::Look(const std::function<IOStatus(Disk&)>& look) {
  const std::lock_guard lock(mutex);
  if (cut && fails_after_cut) return IOStatus::IOError("the power is cut");
  return look(disk);
}

std::shared_ptr<PowerCutFileSystem> PowerCutFileSystem::Make(
    const std::vector<std::string>& directories, uint64_t seed, DirectoryOrder order) {
  Disk disk(order);
  for (const std::string& path : directories) {
    disk.MakeDirectory(Clean(path));
    disk.SyncDirectory(Clean(path.substr(0, std::max<size_t>(path.rfind('/'), 1))));
  }
  return std::shared_ptr<PowerCutFileSystem>(new PowerCutFileSystem(std::move(disk), seed));
}

int64_t PowerCutFileSystem::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

void PowerCutFileSystem::CutAtOperation(int64_t number) {
  const std::lock_guard lock(state_->mutex);
  state_->cut_at = number;
}

void PowerCutFileSystem::FailAfterCut() {
  const std::lock_guard lock(state_->mutex);
  state_->fails_after_cut = true;
}

void PowerCutFileSystem::Cut() {
  const std::lock_guard lock(state_->mutex);
  state_->Cut();
}

bool PowerCutFileSystem::is_cut() const {
  const std::lock_guard lock(state_->mutex);
  return state_->cut;
}

std::shared_ptr<PowerCutFileSystem> PowerCutFileSystem::AfterCut() {
  const std::lock_guard lock(state_->mutex);
  state_->Cut();
  const uint64_t next_seed = Random(state_->seed).Next();
  return std::shared_ptr<PowerCutFileSystem>(
      new PowerCutFileSystem(std::move(state_->left), next_seed));
}

// ---- Opening files

IOStatus PowerCutFileSystem::Find(const std::string& path, Disk::FilePtr* file) const {
  return state_->Look([&](Disk& disk) {
    *file = disk.Find(Clean(path));
    return *file == nullptr ? NoSuch(path) : IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::NewSequentialFile(const std::string& path,
                                               const rocksdb::FileOptions& /*options*/,
                                               std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                               IODebugContext* /*context*/) {
  Disk::FilePtr file;
  const IOStatus status = Find(path, &file);
  if (status.ok()) *result = std::make_unique<SequentialFile>(state_, std::move(file));
  return status;
}

IOStatus PowerCutFileSystem::NewRandomAccessFile(
    const std::string& path, const rocksdb::FileOptions& /*options*/,
    std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext* /*context*/) {
  Disk::FilePtr file;
  const IOStatus status = Find(path, &file);
  if (status.ok()) *result = std::make_unique<RandomAccessFile>(state_, std::move(file));
  return status;
}

IOStatus PowerCutFileSystem::NewWritableFile(const std::string& path,
                                             const rocksdb::FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                                             IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    Disk::FilePtr file = disk.Create(Clean(path));
    if (file == nullptr) return NoSuch(path);
    *result = std::make_unique<WritableFile>(state_, std::move(file), options);
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::ReopenWritableFile(const std::string& path,
                                                const rocksdb::FileOptions& options,
                                                std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    Disk::FilePtr file = disk.Find(Clean(path));
    if (file == nullptr) file = disk.Create(Clean(path));
    if (file == nullptr) return NoSuch(path);
    *result = std::make_unique<WritableFile>(state_, std::move(file), options);
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::NewRandomRWFile(const std::string& path,
                                             const rocksdb::FileOptions& /*options*/,
                                             std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                             IODebugContext* /*context*/) {
  Disk::FilePtr file;
  const IOStatus status = Find(path, &file);
  if (status.ok()) *result = std::make_unique<RandomRWFile>(state_, std::move(file));
  return status;
}

// ---- Names

IOStatus PowerCutFileSystem::NewDirectory(const std::string& path, const IOOptions& /*options*/,
                                          std::unique_ptr<rocksdb::FSDirectory>* result,
                                          IODebugContext* /*context*/) {
  return state_->Look([&](Disk& disk) {
    if (!disk.IsDirectory(Clean(path))) return NoSuch(path);
    *result = std::make_unique<Directory>(state_, Clean(path));
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::FileExists(const std::string& path, const IOOptions& /*options*/,
                                        IODebugContext* /*context*/) {
  return state_->Look([&](Disk& disk) {
    const std::string clean = Clean(path);
    const bool exists = disk.Find(clean) != nullptr || disk.IsDirectory(clean);
    return exists ? IOStatus::OK() : IOStatus::NotFound(path);
  });
}

IOStatus PowerCutFileSystem::GetChildren(const std::string& path, const IOOptions& /*options*/,
                                         std::vector<std::string>* result,
                                         IODebugContext* /*context*/) {
  return state_->Look([&](Disk& disk) {
    if (!disk.IsDirectory(Clean(path))) return NoSuch(path);
    *result = disk.Children(Clean(path));
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::DeleteFile(const std::string& path, const IOOptions& /*options*/,
                                        IODebugContext* /*context*/) {
  return state_->Change(
      [&](Disk& disk) { return disk.Remove(Clean(path)) ? IOStatus::OK() : NoSuch(path); });
}

IOStatus PowerCutFileSystem::Truncate(const std::string& path, size_t size,
                                      const IOOptions& /*options*/, IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    const Disk::FilePtr file = disk.Find(Clean(path));
    if (file == nullptr) return NoSuch(path);
    Disk::Truncate(*file, size);
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::CreateDir(const std::string& path, const IOOptions& /*options*/,
                                       IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    return disk.MakeDirectory(Clean(path))
               ? IOStatus::OK()
               : IOStatus::IOError("the directory exists, or that which it is in does not", path);
  });
}

IOStatus PowerCutFileSystem::CreateDirIfMissing(const std::string& path, const IOOptions& options,
                                                IODebugContext* context) {
  bool exists = false;
  if (IsDirectory(path, options, &exists, context).ok() && exists) return IOStatus::OK();
  return CreateDir(path, options, context);
}

IOStatus PowerCutFileSystem::DeleteDir(const std::string& path, const IOOptions& /*options*/,
                                       IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    return disk.RemoveDirectory(Clean(path))
               ? IOStatus::OK()
               : IOStatus::IOError("there is no such directory, or something is in it", path);
  });
}

IOStatus PowerCutFileSystem::GetFileSize(const std::string& path, const IOOptions& /*options*/,
                                         uint64_t* size, IODebugContext* /*context*/) {
  return state_->Look([&](Disk& disk) {
    const Disk::FilePtr file = disk.Find(Clean(path));
    if (file == nullptr) return NoSuch(path);
    *size = file->content.size();
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::GetFileModificationTime(const std::string& path,
                                                     const IOOptions& /*options*/, uint64_t* time,
                                                     IODebugContext* /*context*/) {
  Disk::FilePtr file;
  *time = 0;
  return Find(path, &file);
}

IOStatus PowerCutFileSystem::RenameFile(const std::string& from, const std::string& to,
                                        const IOOptions& /*options*/, IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    return disk.Rename(Clean(from), Clean(to)) ? IOStatus::OK() : NoSuch(from);
  });
}

IOStatus PowerCutFileSystem::LinkFile(const std::string& from, const std::string& to,
                                      const IOOptions& /*options*/, IODebugContext* /*context*/) {
  return state_->Change([&](Disk& disk) {
    return disk.Link(Clean(from), Clean(to)) ? IOStatus::OK() : NoSuch(from);
  });
}

IOStatus PowerCutFileSystem::IsDirectory(const std::string& path, const IOOptions& /*options*/,
                                         bool* is_directory, IODebugContext* /*context*/) {
  return state_->Look([&](Disk& disk) {
    *is_directory = disk.IsDirectory(Clean(path));
    return *is_directory || disk.Find(Clean(path)) != nullptr ? IOStatus::OK() : NoSuch(path);
  });
}

// ---- The rest

IOStatus PowerCutFileSystem::LockFile(const std::string& path, const IOOptions& /*options*/,
                                      rocksdb::FileLock** lock, IODebugContext* /*context*/) {
  return state_->Look([&](Disk&) {
    if (!state_->locked.insert(Clean(path)).second) {
      return IOStatus::IOError("the file is locked", path);
    }
    *lock = new Lock(Clean(path));
    return IOStatus::OK();
  });
}

IOStatus PowerCutFileSystem::UnlockFile(rocksdb::FileLock* lock, const IOOptions& /*options*/,
                                        IODebugContext* /*context*/) {
  const std::unique_ptr<Lock> ours(static_cast<Lock*>(lock));
  const std::lock_guard guard(state_->mutex);
  state_->locked.erase(ours->path);
  return IOStatus::OK();
}

IOStatus PowerCutFileSystem::GetTestDirectory(const IOOptions& /*options*/, std::string* path,
                                              IODebugContext* /*context*/) {
  *path = "/test";
  return IOStatus::OK();
}

IOStatus PowerCutFileSystem::NewLogger(const std::string& /*path*/, const IOOptions& /*options*/,
                                       std::shared_ptr<rocksdb::Logger>* result,
                                       IODebugContext* /*context*/) {
  *result = std::make_shared<SilentLogger>();
  return IOStatus::OK();
}

IOStatus PowerCutFileSystem::GetAbsolutePath(const std::string& path, const IOOptions& /*options*/,
                                             std::string* absolute, IODebugContext* /*context*/) {
  *absolute = Clean(path);
  return IOStatus::OK();
}

IOStatus PowerCutFileSystem::GetFreeSpace(const std::string& /*path*/, const IOOptions& /*options*/,
                                          uint64_t* bytes, IODebugContext* /*context*/) {
  *bytes = uint64_t{1} << 40;
  return IOStatus::OK();
}

}  // namespace millrace::fault
