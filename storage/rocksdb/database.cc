#include "storage/rocksdb/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "storage/error.h"
#include "storage/rocksdb/replay_order.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

// In few shards, since each has to hold large blobs.
constexpr size_t kBlobCacheBytes = 16 << 20;
constexpr int kBlobCacheShardBits = 2;

constexpr char kOffsets[] = "offsets";
constexpr char kProducers[] = "producers";

// Under load there are up to kRecordMemtables of these beside the tail cache.
constexpr int kRecordMemtables = 3;
constexpr size_t kSmallMemtableBytes = 4 << 20;
constexpr size_t kBlockCacheBytes = 16 << 20;

class FlushListener : public rocksdb::EventListener {
 public:
  explicit FlushListener(std::function<void()> on_records_flushed)
      : on_records_flushed_(std::move(on_records_flushed)) {}

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    if (info.cf_name == kRecordsFamily) on_records_flushed_();
  }

 private:
  std::function<void()> on_records_flushed_;
};

// Gives a write-ahead log its size together with its room on the disk, ahead of what is written:
// writes then do not change the size, so that a sync has no metadata to put into the journal of the
// filesystem. What was not written reads as zeros, which a replay takes for the log's end.
class FileSystemOfLog : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "FileSystemOfLog"; }

  rocksdb::FileOptions OptimizeForLogWrite(const rocksdb::FileOptions& options,
                                           const rocksdb::DBOptions& db) const override {
    rocksdb::FileOptions optimized = FileSystemWrapper::OptimizeForLogWrite(options, db);
    optimized.fallocate_with_keep_size = false;
    return optimized;
  }
};

class StallListener : public rocksdb::EventListener {
 public:
  explicit StallListener(std::shared_ptr<WriteStalls> stalls) : stalls_(std::move(stalls)) {}

  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) override {
    if (info.condition.cur == rocksdb::WriteStallCondition::kDelayed) ++stalls_->delayed;
    if (info.condition.cur == rocksdb::WriteStallCondition::kStopped) ++stalls_->stopped;
  }

 private:
  const std::shared_ptr<WriteStalls> stalls_;
};

rocksdb::DBOptions LogOptions(const DatabaseOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  db.max_total_wal_size = 512 << 20;
  db.bytes_per_sync = 1 << 20;
  db.max_background_jobs = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 2, 8);
  // RocksDB starts this many threads for each family at every open, whether there is anything for
  // them to do or not: with 16, its default, an open takes about twice as long.
  db.max_file_opening_threads = db.max_background_jobs;
  // One thread writes.
  db.allow_concurrent_memtable_write = false;
  db.enable_pipelined_write = false;
  db.unordered_write = false;
  db.two_write_queues = false;
  // Writes wait when memtables are full, but are not slowed down before that: the committer gathers
  // larger groups meanwhile.
  db.delayed_write_rate = uint64_t{1} << 30;
  // Old records are read in order: let the kernel read ahead.
  db.advise_random_on_open = false;
  db.max_open_files = 1000;
  db.max_log_file_size = 4 << 20;
  db.keep_log_file_num = 4;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.skip_stats_update_on_db_open = true;
  db.listeners.push_back(std::make_shared<FlushListener>(options.on_records_flushed));
  return db;
}

rocksdb::ColumnFamilyOptions SmallFamily(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = kSmallMemtableBytes;
  family.max_write_buffer_number = 3;
  family.compression = rocksdb::kNoCompression;
  family.level0_file_num_compaction_trigger = 4;
  family.level0_slowdown_writes_trigger = 20;
  family.level0_stop_writes_trigger = 36;
  return family;
}

// Of what is overwritten and deleted: names that come and go. Levels would move a file whose keys
// no other has as it is, so that each time memtables are written out a small file would stay for
// good, with nothing in it but what was deleted. Here all files are merged once there are four.
rocksdb::ColumnFamilyOptions StateFamily(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = SmallFamily(cache);
  family.compaction_style = rocksdb::kCompactionStyleUniversal;
  return family;
}

rocksdb::ColumnFamilyOptions RecordsFamily(const std::shared_ptr<rocksdb::Cache>& cache,
                                           const std::shared_ptr<rocksdb::Cache>& blob_cache,
                                           const DatabaseOptions& options) {
  rocksdb::ColumnFamilyOptions family = SmallFamily(cache);
  family.write_buffer_size = static_cast<size_t>(options.records_memtable_bytes);
  family.max_write_buffer_number = kRecordMemtables;
  family.compaction_filter_factory = options.records_filter;
  family.enable_blob_files = true;
  family.min_blob_size = static_cast<uint64_t>(options.min_blob_bytes);
  family.blob_file_size = 256 << 20;
  // What was read is given out where it lies in the cache (BatchReader). And the batch that a read
  // had no room for begins the next one: it is not fetched, and its checksum not computed, twice.
  // Nor are batches that several readers come to at about the same time.
  family.blob_cache = blob_cache;
  // A log overwrites nothing. Collecting garbage with every compaction would copy the oldest blobs
  // over and over; the Reclaimer does it where something was dropped.
  family.enable_blob_garbage_collection = false;
  return family;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Families(
    const DatabaseOptions& options, const std::shared_ptr<rocksdb::Cache>& blob_cache) {
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  return {{rocksdb::kDefaultColumnFamilyName, StateFamily(cache)},
          {kRecordsFamily, RecordsFamily(cache, blob_cache, options)},
          {kOffsets, StateFamily(cache)},
          {kProducers, StateFamily(cache)}};
}

// A database that is only looked at leaves no log file behind.
class SilentLogger : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

absl::Status OpenError(const rocksdb::Status& status, const std::string& path) {
  const std::string message = "the log in " + path + " cannot be opened: " + status.ToString();
  const bool gone = status.IsNotFound() || status.IsPathNotFound();
  if (status.IsCorruption() || gone) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

// "MANIFEST-000012", with or without a slash before it and a newline after it.
std::optional<uint64_t> ManifestNumber(std::string_view file) {
  constexpr std::string_view kPrefix = "MANIFEST-";
  const size_t prefix = file.find(kPrefix);
  if (prefix == std::string_view::npos) return std::nullopt;
  file.remove_prefix(prefix + kPrefix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

absl::StatusOr<ManifestSize> ManifestOnDisk(
    const std::string& path, const std::shared_ptr<rocksdb::FileSystem>& file_system) {
  const auto files = file_system != nullptr ? file_system : rocksdb::FileSystem::Default();
  std::unique_ptr<rocksdb::FSSequentialFile> current;
  rocksdb::Status status = files->NewSequentialFile(path + "/CURRENT", {}, &current, nullptr);
  std::array<char, 64> name;
  rocksdb::Slice read;
  if (status.ok()) status = current->Read(name.size(), {}, &read, name.data(), nullptr);
  if (!status.ok()) return OpenError(status, path);
  const auto number = ManifestNumber(ToView(read));
  if (!number || read.size() < 2) {
    return OpenError(rocksdb::Status::Corruption("CURRENT names no manifest"), path);
  }
  ManifestSize manifest{.number = *number};
  status = files->GetFileSize(path + "/" + std::string(ToView(read).substr(0, read.size() - 1)), {},
                              &manifest.bytes, nullptr);
  if (!status.ok()) return OpenError(status, path);
  return manifest;
}

absl::Status ToStatus(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = std::string(doing) + ": " + status.ToString();
  if (status.IsNoSpace()) return Error(Reason::kDiskFull, message);
  return Error(Reason::kStorageFailed, message);
}

Database::Database(const DatabaseOptions& options)
    : write_stalls_(std::make_shared<WriteStalls>()),
      blob_cache_(rocksdb::NewLRUCache(kBlobCacheBytes, kBlobCacheShardBits)),
      env_(rocksdb::NewCompositeEnv(std::make_shared<FileSystemOfLog>(
          options.file_system != nullptr ? options.file_system : rocksdb::FileSystem::Default()))) {
}

rocksdb::DBOptions Database::OptionsOf(const DatabaseOptions& options) const {
  rocksdb::DBOptions db = LogOptions(options);
  db.listeners.push_back(std::make_shared<StallListener>(write_stalls_));
  db.env = env_.get();
  if (options.skip_damaged_log) {
    db.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  }
  return db;
}

void Database::Take(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles) {
  db_.reset(db);
  std::copy(handles.begin(), handles.end(), families_.begin());
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database(options));
  rocksdb::DBOptions db_options = database->OptionsOf(options);
  database->replay_ = std::make_unique<ReplayInOrder>();
  if (!options.skip_damaged_log) db_options.wal_filter = database->replay_.get();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto opened =
      rocksdb::DB::Open(db_options, path, Families(options, database->blob_cache_), &handles, &db);
  if (!opened.ok()) return OpenError(opened, path);
  database->Take(db, handles);
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenToSurvey(const std::string& path,
                                                                 const DatabaseOptions& options,
                                                                 rocksdb::WalFilter& filter) {
  std::unique_ptr<Database> database(new Database(options));
  rocksdb::DBOptions db_options = database->OptionsOf(options);
  db_options.wal_filter = &filter;
  db_options.info_log = std::make_shared<SilentLogger>();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::OpenForReadOnly(
      db_options, path, Families(options, database->blob_cache_), &handles, &db);
  if (!opened.ok()) return OpenError(opened, path);
  database->Take(db, handles);
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  db_->Close().PermitUncheckedError();
}

absl::Status Database::Flush() {
  return ToStatus(db_->Flush(rocksdb::FlushOptions(), {families_.begin(), families_.end()}),
                  "cannot write memtables out");
}

absl::Status Database::FlushSmallFamilies() {
  rocksdb::FlushOptions flush;
  flush.wait = false;
  return ToStatus(db_->Flush(flush, {log(), offsets(), producers()}), "cannot write memtables out");
}

absl::Status Database::ResumeWriting() {
  if (auto status = ToStatus(db_->Resume(), "cannot resume writing"); !status.ok()) return status;
  // A log file that refused a write refuses all later ones, and a flush changes to a new one only
  // if there is something in a memtable.
  rocksdb::WriteOptions beside_the_log;
  beside_the_log.disableWAL = true;
  const auto put =
      db_->Put(beside_the_log, log(), ToSlice(rows::FieldKey(rows::kResumedField)), "");
  if (auto status = ToStatus(put, "cannot resume writing"); !status.ok()) return status;
  return Flush();
}

absl::StatusOr<ManifestSize> Database::Manifest() {
  std::vector<std::string> files;
  ManifestSize manifest;
  const auto listed = db_->GetLiveFiles(files, &manifest.bytes, /*flush_memtable=*/false);
  if (!listed.ok()) return ToStatus(listed, "the log's files cannot be listed");
  for (const std::string& file : files) {
    if (const auto number = ManifestNumber(file)) manifest.number = *number;
  }
  return manifest;
}

int64_t Database::UnflushedBytes() {
  uint64_t bytes = 0;
  db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
  return static_cast<int64_t>(bytes);
}

absl::Status Database::ScanLog(
    char kind, const std::function<absl::Status(std::string_view, std::string_view)>& row) {
  const std::string begin(1, kind);
  const std::string end(1, static_cast<char>(kind + 1));
  const rocksdb::Slice upper = ToSlice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read, log()));
  for (it->Seek(ToSlice(begin)); it->Valid(); it->Next()) {
    if (auto status = row(ToView(it->key()), ToView(it->value())); !status.ok()) return status;
  }
  return ToStatus(it->status(), "cannot read the log's rows");
}

absl::StatusOr<int64_t> Database::ReadField(std::string_view field, int64_t otherwise) {
  std::string value;
  const auto read = db_->Get(rocksdb::ReadOptions(), log(), ToSlice(rows::FieldKey(field)), &value);
  if (read.IsNotFound()) return otherwise;
  if (!read.ok()) return ToStatus(read, "cannot read the log's rows");
  int64_t number = 0;
  if (!rows::DecodeNumber(value, &number)) {
    return absl::DataLossError("the log's own rows are damaged: a number");
  }
  return number;
}

}  // namespace millrace::storage
