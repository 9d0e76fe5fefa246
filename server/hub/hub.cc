#include "server/hub/hub.h"

#include <utility>

#include "storage/error.h"

namespace millrace::hub {

Hub::Hub(storage::Engine& engine, const storage::Clock& clock, HubOptions options)
    : engine_(engine),
      options_(std::move(options)),
      start_time_(clock.Now()),
      budget_(options_.frame_budget_bytes),
      topics_(engine_, options_.limits, options_.topics, delivery_counts_, observer(),
              [this](std::string_view topic) { OnTopicChanged(topic); }),
      groups_({.engine = engine_,
               .clock = clock,
               .limits = options_.limits,
               .observer = observer(),
               .workers = workers_,
               .timers = timers_,
               .options = options_.groups},
              topics_, options_.default_durability),
      subscriptions_(engine_, clock, options_.limits, topics_, groups_, deliveries_, timers_,
                     budget_, delivery_counts_, observer(), options_.watch_interval),
      group_inspection_(engine_, clock, topics_, groups_, subscriptions_),
      producing_(engine_, topics_, workers_, options_.default_durability),
      transacting_(engine_, topics_, groups_, workers_, options_.default_durability),
      deliveries_("deliveries", options_.delivery_threads),
      workers_("workers", options_.worker_threads),
      stall_watch_(options_.stall_interval, options_.stall_patience, observer(),
                   [this] { return Work(); }) {}

Hub::~Hub() { groups_.Freeze(); }

HubObserver& Hub::observer() {
  return options_.observer != nullptr ? *options_.observer : silent_observer_;
}

void Hub::OnTopicChanged(std::string_view topic) {
  delivery_counts_.OnTopicChanged(topic, engine_.FindTopic(topic));
  subscriptions_.OnTopicChanged(topic);
}

std::vector<storage::WorkStatus> Hub::Work() const {
  std::vector<storage::WorkStatus> work = engine_.Work();
  const Executor::Depth deliveries = deliveries_.depth();
  work.push_back({"deliveries", deliveries.waiting, deliveries.done});
  const Executor::Depth workers = workers_.depth();
  work.push_back({"workers", workers.waiting, workers.done});
  return work;
}

void Hub::Drain() {
  draining_.store(true, std::memory_order_relaxed);
  groups_.Freeze();
  subscriptions_.Drain();
}

absl::Status Hub::Admit() const {
  if (!draining_.load(std::memory_order_relaxed)) return absl::OkStatus();
  return storage::Error(storage::Reason::kDraining, "the hub is stopping");
}

}  // namespace millrace::hub
