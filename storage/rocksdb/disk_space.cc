#include "storage/rocksdb/disk_space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <limits>

namespace millrace::storage {
namespace {

constexpr int64_t kBytesBetweenLooks = 1 << 20;
constexpr auto kTimeBetweenLooks = std::chrono::milliseconds(10);

}  // namespace

int64_t DiskSpace::FreeBytes() const {
  struct statvfs disk;
  if (::statvfs(path_.c_str(), &disk) != 0) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
}

bool DiskSpace::HasRoomFor(int64_t bytes) {
  if (reserve_bytes_ == 0) return true;
  const auto now = std::chrono::steady_clock::now();
  if (bytes <= granted_bytes_ && now < next_look_) {
    granted_bytes_ -= bytes;
    return true;
  }
  // A write takes its bytes in the log and once more when the memtable is written out.
  const int64_t needed = std::max(bytes, kBytesBetweenLooks) * 2;
  if (FreeBytes() - database_.UnflushedBytes() - reserve_bytes_ < needed) {
    granted_bytes_ = 0;
    return false;
  }
  granted_bytes_ = std::max(bytes, kBytesBetweenLooks) - bytes;
  next_look_ = now + kTimeBetweenLooks;
  return true;
}

bool DiskSpace::HasRoomForRows() {
  return reserve_bytes_ == 0 || FreeBytes() >= std::min<int64_t>(reserve_bytes_, 1 << 20);
}

}  // namespace millrace::storage
