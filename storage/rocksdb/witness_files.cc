#include "storage/rocksdb/witness_files.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "storage/error.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

constexpr int64_t kFormat = 1;
constexpr size_t kNumberBytes = 8;
constexpr size_t kHeaderNumbers = 8;
constexpr size_t kBlockBytes = 4096;
constexpr int64_t kMostEnds = int64_t{1} << 32;  // There are no more partitions than that.

struct Witnessed {
  int64_t generation = 0;
  WitnessedLog log;
};

int64_t ChecksumOf(std::string_view content) {
  return static_cast<int64_t>(
      XXH3_64bits(content.data() + kNumberBytes, content.size() - kNumberBytes));
}

std::string Encode(uint64_t generation, const WitnessedLog& log) {
  std::string content(kNumberBytes, 0);  // For the checksum.
  for (const int64_t number :
       {kFormat, static_cast<int64_t>(generation), static_cast<int64_t>(log.sequence),
        log.log_epoch.value(), static_cast<int64_t>(log.manifest.number),
        static_cast<int64_t>(log.manifest.bytes), static_cast<int64_t>(log.ends.size())}) {
    content += rows::EncodeNumber(number);
  }
  for (const auto& [partition, end] : log.ends) {
    content += rows::EncodeNumber(partition.value());
    content += rows::EncodeNumber(end.value());
  }
  content.replace(0, kNumberBytes, rows::EncodeNumber(ChecksumOf(content)));
  // Whole blocks, so that a file seldom changes its size.
  content.resize((content.size() + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
  return content;
}

// The caller sees to it that the number is there.
int64_t NumberAt(std::string_view content, size_t place) {
  int64_t number = 0;
  rows::DecodeNumber(content.substr(place * kNumberBytes, kNumberBytes), &number);
  return number;
}

std::optional<Witnessed> Decode(std::string_view content) {
  if (content.size() < kHeaderNumbers * kNumberBytes) return std::nullopt;
  const int64_t count = NumberAt(content, kHeaderNumbers - 1);
  if (NumberAt(content, 1) != kFormat || count < 0 || count > kMostEnds) return std::nullopt;
  const size_t bytes = (kHeaderNumbers + 2 * static_cast<size_t>(count)) * kNumberBytes;
  if (content.size() < bytes || ChecksumOf(content.substr(0, bytes)) != NumberAt(content, 0)) {
    return std::nullopt;
  }
  Witnessed witnessed{.generation = NumberAt(content, 2)};
  witnessed.log.sequence = static_cast<uint64_t>(NumberAt(content, 3));
  witnessed.log.log_epoch = LogEpoch(NumberAt(content, 4));
  witnessed.log.manifest = {.number = static_cast<uint64_t>(NumberAt(content, 5)),
                            .bytes = static_cast<uint64_t>(NumberAt(content, 6))};
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const size_t place = kHeaderNumbers + 2 * i;
    witnessed.log.ends[PartitionId(static_cast<uint32_t>(NumberAt(content, place)))] =
        Offset(NumberAt(content, place + 1));
  }
  return witnessed;
}

}  // namespace

WitnessFiles::WitnessFiles(std::shared_ptr<rocksdb::FileSystem> file_system, std::string data_dir)
    : file_system_(file_system != nullptr ? std::move(file_system)
                                          : rocksdb::FileSystem::Default()),
      data_dir_(std::move(data_dir)) {}

std::string WitnessFiles::PathOf(uint64_t generation) const {
  return data_dir_ + "/witness." + std::to_string(generation % sizes_.size());
}

absl::StatusOr<std::optional<std::string>> WitnessFiles::Read(const std::string& path) {
  uint64_t size = 0;
  rocksdb::IOStatus status = file_system_->GetFileSize(path, {}, &size, nullptr);
  if (status.IsNotFound() || status.IsPathNotFound()) return std::nullopt;
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  if (status.ok()) status = file_system_->NewSequentialFile(path, {}, &file, nullptr);
  std::string content(size, 0);
  rocksdb::Slice read;
  if (status.ok()) status = file->Read(size, {}, &read, content.data(), nullptr);
  if (!status.ok()) return ToStatus(status, "the witness cannot be read");
  return std::string(ToView(read));
}

absl::StatusOr<std::optional<WitnessedLog>> WitnessFiles::Load() {
  std::optional<Witnessed> newest;
  for (uint64_t slot = 0; slot < sizes_.size(); ++slot) {
    const auto content = Read(PathOf(slot));
    if (!content.ok()) return content.status();
    if (!content->has_value()) continue;
    std::optional<Witnessed> found = Decode(**content);
    if (found && (!newest || found->generation > newest->generation)) newest = std::move(found);
  }
  if (!newest) return std::nullopt;
  generation_ = static_cast<uint64_t>(newest->generation);
  return std::move(newest->log);
}

absl::Status WitnessFiles::Store(const WitnessedLog& log) {
  const uint64_t generation = generation_ + 1;
  const std::string path = PathOf(generation);
  const std::string content = Encode(generation, log);
  size_t& size = sizes_[generation % sizes_.size()];
  const bool fits = content.size() <= size;
  const rocksdb::IOStatus status = fits ? Overwrite(path, content) : Make(path, content);
  if (!status.ok()) {
    size = 0;
    return ToStatus(status, "the witness cannot be written");
  }
  size = std::max(size, content.size());
  generation_ = generation;
  return absl::OkStatus();
}

rocksdb::IOStatus WitnessFiles::Make(const std::string& path, const std::string& content) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = file_system_->NewWritableFile(path, {}, &file, nullptr);
  if (status.ok()) status = file->Append(content, {}, nullptr);
  if (status.ok()) status = file->Fsync({}, nullptr);
  if (status.ok()) status = file->Close({}, nullptr);
  std::unique_ptr<rocksdb::FSDirectory> directory;
  if (status.ok()) status = file_system_->NewDirectory(data_dir_, {}, &directory, nullptr);
  if (status.ok()) status = directory->Fsync({}, nullptr);
  return status;
}

rocksdb::IOStatus WitnessFiles::Overwrite(const std::string& path, const std::string& content) {
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  rocksdb::IOStatus status = file_system_->NewRandomRWFile(path, {}, &file, nullptr);
  if (status.ok()) status = file->Write(0, content, {}, nullptr);
  if (status.ok()) status = file->Sync({}, nullptr);
  if (status.ok()) status = file->Close({}, nullptr);
  return status;
}

}  // namespace millrace::storage
