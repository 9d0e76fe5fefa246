// What an engine tells of its own work, for operators: plain figures, whoever publishes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/latency_histogram.h"

namespace millrace::storage {

// A thread, or a pool of them, that works off what waits. Where something waits and `done` does not
// rise, it is stuck.
struct WorkStatus {
  std::string worker;   // "committer".
  int64_t waiting = 0;  // Pieces of work that are queued or under way.
  uint64_t done = 0;    // Rises with each piece that is finished.
};

// A figure that only this engine has.
struct EngineFigure {
  enum class Kind {
    kLevel,  // Goes up and down.
    kTotal,  // Only rises, from 0 at the start.
  };

  std::string name;  // Words joined by underscores, with its base unit: "block_cache_bytes".
  std::string help;  // One sentence.
  Kind kind = Kind::kLevel;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

// The disk that the log is on.
struct DiskStats {
  int64_t log_bytes = 0;   // Taken by the log's files.
  int64_t free_bytes = 0;  // To be had by this process.
  int64_t size_bytes = 0;
};

struct EngineStats {
  LatencyCounts append;  // From taking a group of writes up until it is in the log.
  LatencyCounts sync;    // Of one sync of the log.
  int64_t queued_writes = 0;
  int64_t queued_bytes = 0;  // Of what is queued or being written.
  int64_t queue_limit_bytes = 0;
  int64_t waiting_for_sync = 0;   // Groups of writes that are in the log and not answered.
  std::optional<DiskStats> disk;  // Absent: the log is in memory.
  std::vector<EngineFigure> figures;
};

}  // namespace millrace::storage
