// The hub: everything between a transport and the log, put together. A transport (server/grpc,
// server/web) holds a Hub& and nothing else of this folder's insides.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/hub/delivery_counts.h"
#include "server/hub/executor.h"
#include "server/hub/frame_budget.h"
#include "server/hub/group_inspection.h"
#include "server/hub/groups.h"
#include "server/hub/limits.h"
#include "server/hub/producing.h"
#include "server/hub/stall_watch.h"
#include "server/hub/subscriptions.h"
#include "server/hub/timer_queue.h"
#include "server/hub/topics.h"
#include "server/hub/transacting.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::hub {

struct HubOptions {
  Limits limits;
  Topics::Options topics;
  storage::Durability default_durability = storage::Durability::kSynced;
  int64_t frame_budget_bytes = 256 << 20;
  int worker_threads = 4;
  int delivery_threads = 1;
  GroupCoordinator::Options groups;
  absl::Duration watch_interval = absl::Seconds(10);  // Of Subscription::HealStalled.
  absl::Duration stall_interval = absl::Seconds(1);   // How often StallWatch looks.
  absl::Duration stall_patience = absl::Seconds(5);   // How long it takes no progress for no stall.
  // Told what happens; outlives the hub. Null: nobody is.
  HubObserver* observer = nullptr;
};

// Threads: any. Transports must have closed all their subscriptions and have no call under way when
// it is destroyed; the engine is closed after it.
class Hub {
 public:
  // `engine` and `clock` outlive the hub.
  Hub(storage::Engine& engine, const storage::Clock& clock, HubOptions options);
  ~Hub();

  storage::Engine& engine() { return engine_; }
  const Limits& limits() const { return options_.limits; }
  const HubOptions& options() const { return options_; }
  absl::Time start_time() const { return start_time_; }

  Topics& topics() { return topics_; }
  Producing& producing() { return producing_; }
  Transacting& transacting() { return transacting_; }
  Groups& groups() { return groups_; }
  Subscriptions& subscriptions() { return subscriptions_; }
  GroupInspection& group_inspection() { return group_inspection_; }
  const DeliveryCounts& delivery_counts() const { return delivery_counts_; }
  const FrameBudget& frame_budget() const { return budget_; }
  StallWatch& stall_watch() { return stall_watch_; }

  // How the hub's threads and the engine's get on. Never blocks.
  std::vector<storage::WorkStatus> Work() const;

  // Where transports run calls that block.
  Executor& workers() { return workers_; }
  TimerQueue& timers() { return timers_; }

  // Keeps who is in which group, and ends subscriptions with DRAINING; from now on Admit refuses.
  // Idempotent. Blocks.
  void Drain();

  // OK, or DRAINING: every new call asks this first. Never blocks.
  absl::Status Admit() const;

 private:
  HubObserver& observer();
  void OnTopicChanged(std::string_view topic);

  storage::Engine& engine_;
  const HubOptions options_;
  const absl::Time start_time_;
  std::atomic<bool> draining_{false};

  HubObserver silent_observer_;
  FrameBudget budget_;
  DeliveryCounts delivery_counts_;
  Topics topics_;
  Groups groups_;
  Subscriptions subscriptions_;
  GroupInspection group_inspection_;
  Producing producing_;
  Transacting transacting_;
  // Last, so that they are gone before what their tasks use.
  TimerQueue timers_;
  Executor deliveries_;
  Executor workers_;
  StallWatch stall_watch_;
};

}  // namespace millrace::hub
