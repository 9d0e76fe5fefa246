// Random clients of a log, by seed: producers with and without numbers, groups that commit,
// transactions, readers, and somebody who creates, grows, truncates and deletes topics. What they
// ask and are answered goes to a HistoryChecker.
//
// One object goes through the lives of one log; for one thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/engine.h"
#include "storage/types.h"
#include "tests/fault/history_checker.h"
#include "tests/fault/random.h"
#include "tests/storage/contract/manual_clock.h"

namespace millrace::fault {

class RandomWorkload {
 public:
  // What is passed outlives the workload; the clock moves a second with every step.
  RandomWorkload(uint64_t seed, HistoryChecker& checker, storage::ManualClock& clock);

  // Takes so many steps, or fewer: until `is_cut`. From then on answers are not believed. Writes
  // may still be under way; they are answered at the latest when the log is destroyed.
  void Run(storage::Engine& engine, int steps, std::function<bool()> is_cut);

  // Waits until every write is answered.
  void WaitForAnswers();

 private:
  struct Producer {
    std::string id;
    storage::ProducerEpoch epoch;
    int64_t next_sequence = 1;
    // Of its epoch or its next sequence it cannot be sure: it has to be opened.
    std::atomic<bool> lost_track = true;
  };

  // What a client was told before the cut; after it, nothing.
  absl::Status Believed(const absl::Status& answer) const;

  void Step(storage::Engine& engine);
  void SendMissing(storage::Engine& engine, Producer& producer);
  void RepeatSome(storage::Engine& engine);

  void SendNew(storage::Engine& engine);
  void SendCommits(storage::Engine& engine);
  void Send(storage::Engine& engine, const AskedWrite& write, Producer* producer);
  void Open(storage::Engine& engine, Producer& producer);
  void ReadOne(storage::Engine& engine);
  void ChangeTopics(storage::Engine& engine);
  void ChangeGroups(storage::Engine& engine);
  void Truncate(storage::Engine& engine);

  storage::PartitionId AnyPartition(storage::Engine& engine);  // 0: there is none.
  AskedCommit AnyCommit(storage::Engine& engine, storage::PartitionId partition);
  storage::RetentionPolicy AnyRetention();

  Random random_;
  HistoryChecker& checker_;
  storage::ManualClock& clock_;
  std::function<bool()> is_cut_;
  int64_t next_write_ = 1;
  int64_t next_name_ = 1;
  std::vector<std::unique_ptr<Producer>> producers_;
  std::vector<std::pair<AskedWrite, Producer*>> sent_;  // With numbers, the newest last.

  std::mutex mutex_;
  std::condition_variable changed_;
  int under_way_ = 0;  // Guarded by mutex_.
};

}  // namespace millrace::fault
