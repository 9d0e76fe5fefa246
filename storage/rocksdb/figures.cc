#include "storage/rocksdb/figures.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace millrace::storage {
namespace {

using Properties = rocksdb::DB::Properties;
using Kind = EngineFigure::Kind;

using Labels = std::vector<std::pair<std::string, std::string>>;

// A property of RocksDB's and what it becomes.
struct Property {
  const std::string& property;
  std::string_view name;
  std::string_view help;
};

class Reading {
 public:
  explicit Reading(rocksdb::DB& db) : db_(db) {}

  // What RocksDB does not answer is left out.
  void Add(rocksdb::ColumnFamilyHandle* family, const Property& each, Labels labels = {}) {
    uint64_t value = 0;
    if (!db_.GetIntProperty(family, each.property, &value)) return;
    Add(each.name, each.help, std::move(labels), static_cast<double>(value));
  }

  void Add(std::string_view name, std::string_view help, Labels labels, double value,
           Kind kind = Kind::kLevel) {
    figures_.push_back({.name = std::string(name),
                        .help = std::string(help),
                        .kind = kind,
                        .labels = std::move(labels),
                        .value = value});
  }

  void AddFilesPerLevel(rocksdb::ColumnFamilyHandle* family) {
    for (int level = 0; level < db_.NumberLevels(family); ++level) {
      const std::string number = std::to_string(level);
      std::string files;
      if (!db_.GetProperty(family, Properties::kNumFilesAtLevelPrefix + number, &files)) continue;
      Add("files", "Table files, by level.", {{"family", family->GetName()}, {"level", number}},
          std::strtod(files.c_str(), nullptr));
    }
  }

  std::vector<EngineFigure> Take() && { return std::move(figures_); }

 private:
  rocksdb::DB& db_;
  std::vector<EngineFigure> figures_;
};

void AddFamily(rocksdb::ColumnFamilyHandle* family, Reading& reading) {
  for (const Property& each : std::to_array<Property>({
           {Properties::kCurSizeAllMemTables, "memtable_bytes",
            "Memtables, also those that are being written out."},
           {Properties::kNumImmutableMemTable, "immutable_memtables",
            "Memtables that wait to be written out."},
           {Properties::kLiveSstFilesSize, "table_bytes", "Table files in use."},
           {Properties::kTotalBlobFileSize, "blob_bytes", "Blob files, which hold large batches."},
           {Properties::kLiveBlobFileGarbageSize, "blob_garbage_bytes",
            "Of the blob files, what nothing refers to any more."},
           {Properties::kEstimatePendingCompactionBytes, "pending_compaction_bytes",
            "What compactions have to rewrite yet, by RocksDB's estimate."},
       })) {
    reading.Add(family, each, {{"family", family->GetName()}});
  }
  reading.AddFilesPerLevel(family);
}

int64_t FileBytesBelow(const std::string& directory) {
  int64_t bytes = 0;
  std::error_code error;
  std::filesystem::recursive_directory_iterator file(directory, error);
  for (; !error && file != std::filesystem::recursive_directory_iterator(); file.increment(error)) {
    struct stat status {};
    // Files come and go meanwhile. What counts is what they take, not how long they are.
    if (::stat(file->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    constexpr int64_t kBlock = 512;
    bytes += static_cast<int64_t>(status.st_blocks) * kBlock;
  }
  return bytes;
}

}  // namespace

std::vector<EngineFigure> FiguresOf(Database& database) {
  Reading reading(database.db());
  for (rocksdb::ColumnFamilyHandle* family :
       {database.log(), database.records(), database.offsets(), database.producers()}) {
    AddFamily(family, reading);
  }
  // One block cache is shared by all families; the blob cache is that of the records.
  for (const Property& each : std::to_array<Property>({
           {Properties::kBlockCacheUsage, "block_cache_bytes", "Blocks of table files in memory."},
           {Properties::kBlockCacheCapacity, "block_cache_capacity_bytes",
            "How much the block cache may hold."},
           {Properties::kBlobCacheUsage, "blob_cache_bytes", "Large batches in memory."},
           {Properties::kNumRunningFlushes, "running_flushes", "Memtables being written out."},
           {Properties::kNumRunningCompactions, "running_compactions", "Compactions under way."},
           {Properties::kIsWriteStopped, "write_stopped",
            "1 while RocksDB takes no writes because it cannot keep up."},
       })) {
    reading.Add(database.records(), each);
  }
  constexpr std::string_view kStalls = "How often RocksDB began to hold writes back.";
  const WriteStalls& stalls = database.write_stalls();
  reading.Add("write_stalls_total", kStalls, {{"condition", "delayed"}},
              static_cast<double>(stalls.delayed.load()), Kind::kTotal);
  reading.Add("write_stalls_total", kStalls, {{"condition", "stopped"}},
              static_cast<double>(stalls.stopped.load()), Kind::kTotal);
  return std::move(reading).Take();
}

std::optional<DiskStats> DiskStatsOf(const std::string& data_dir) {
  struct statvfs disk {};
  if (::statvfs(data_dir.c_str(), &disk) != 0) return std::nullopt;
  const auto block = static_cast<int64_t>(disk.f_frsize);
  return DiskStats{.log_bytes = FileBytesBelow(data_dir),
                   .free_bytes = static_cast<int64_t>(disk.f_bavail) * block,
                   .size_bytes = static_cast<int64_t>(disk.f_blocks) * block};
}

}  // namespace millrace::storage
