// Power cuts under the real engine, one after another, each followed by a judgement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/fault/history_checker.h"

namespace millrace::fault {

struct CampaignResult {
  int64_t cuts = 0;
  int64_t cuts_while_opening = 0;
  int64_t operations = 0;  // Of all disks.
  // Of the first log that was found wanting; empty: none was.
  uint64_t failed_seed = 0;
  std::vector<Finding> violations;
};

// Cuts the power of logs until that happened `cuts` times, with logs that follow from the seed.
// Stops at the first log with a violation. `data_dir` is for what the engine keeps on the real disk
// (see RocksDbOptions::file_system): one at a time.
CampaignResult CutPower(uint64_t seed, int64_t cuts, const std::string& data_dir);

}  // namespace millrace::fault
