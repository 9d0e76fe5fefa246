// The hub's side of Produce: from a validated request to one write of the log and back.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/hub/executor.h"
#include "server/hub/record_placement.h"
#include "server/hub/topics.h"
#include "storage/engine.h"

namespace millrace::hub {

// A request to append, its records walked and counted (storage/batch) by whoever took the bytes in.
struct ProduceCommand {
  std::string topic;
  std::optional<int32_t> partition;  // Absent: placed by key.
  storage::EncodedRecords records;
  std::optional<storage::Durability> durability;   // Absent: the hub's default.
  std::optional<storage::ProducerStamp> producer;  // Without annotation.
  std::optional<storage::Offset> expected_next_offset;
  storage::Admission admission = storage::Admission::kRefuse;
  bool on_calling_thread = true;  // See storage::WriteSet.
};

struct ProduceOutcome {
  PlacedRanges ranges;
  bool duplicate = false;
  bool result_expired = false;
};

using ProduceCompletion = absl::AnyInvocable<void(absl::StatusOr<ProduceOutcome>) &&>;

// Threads: any.
class Producing {
 public:
  // All outlive this object. `workers` runs what blocks: the creation of a missing topic.
  Producing(storage::Engine& engine, Topics& topics, Executor& workers,
            storage::Durability default_durability);

  storage::Durability default_durability() const { return default_durability_; }

  // Places the records, stores them and calls `done` once: inside the call for a refusal, else from
  // a thread of the engine. Never blocks. The reasons are those of EventHubService.Produce, but for
  // what the walk of the bytes finds.
  void Produce(ProduceCommand command, ProduceCompletion done);

  // Blocks. INVALID_NAME, UNSUPPORTED_BY_ENGINE. An empty id: one is made up.
  struct OpenedProducer {
    std::string producer_id;
    storage::ProducerState state;
    int32_t window = 0;
  };
  absl::StatusOr<OpenedProducer> OpenProducer(std::string_view producer_id);

 private:
  void ProduceTo(const storage::Topic& topic, ProduceCommand command, ProduceCompletion done);
  bool IsBeingCreated(const std::string& topic);
  void CreateThenProduce(ProduceCommand command, ProduceCompletion done);
  void CreateTopicFor(const std::string& name);

  storage::Engine& engine_;
  Topics& topics_;
  Executor& workers_;
  const storage::Durability default_durability_;
  RecordPlacer placer_;

  std::atomic<int> creating_topics_{0};  // The size of creating_, for a look without the lock.
  std::mutex creating_mutex_;
  // Requests that wait for their topic to be created, in order.
  absl::flat_hash_map<std::string, std::vector<std::pair<ProduceCommand, ProduceCompletion>>>
      creating_;
};

}  // namespace millrace::hub
