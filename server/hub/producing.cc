#include "server/hub/producing.h"

#include <utility>

#include "server/hub/names.h"
#include "server/hub/random_id.h"

namespace millrace::hub {
namespace {

absl::StatusOr<ProduceOutcome> Finish(absl::StatusOr<storage::WriteResult> result,
                                      Placement placement) {
  if (!result.ok()) return result.status();
  if (result->duplicate && !result->result_expired) {
    // The first placement counts: the topic may have grown since.
    auto first = DecodePlacement(result->annotation);
    if (!first.ok()) return first.status();
    placement = *std::move(first);
  }
  return ProduceOutcome{.ranges = NameRanges(result->ranges, std::move(placement)),
                        .duplicate = result->duplicate,
                        .result_expired = result->result_expired};
}

}  // namespace

Producing::Producing(storage::Engine& engine, Topics& topics, Executor& workers,
                     storage::Durability default_durability)
    : engine_(engine),
      topics_(topics),
      workers_(workers),
      default_durability_(default_durability) {}

void Producing::Produce(ProduceCommand command, ProduceCompletion done) {
  if (creating_topics_.load() > 0 && IsBeingCreated(command.topic)) {
    return CreateThenProduce(std::move(command), std::move(done));
  }
  if (storage::TopicPtr topic = engine_.FindTopic(command.topic)) {
    return ProduceTo(*topic, std::move(command), std::move(done));
  }
  if (topics_.options().auto_create_partitions == 0) {
    return std::move(done)(topics_.Find(command.topic).status());
  }
  CreateThenProduce(std::move(command), std::move(done));
}

bool Producing::IsBeingCreated(const std::string& topic) {
  std::lock_guard lock(creating_mutex_);
  return creating_.contains(topic);
}

void Producing::CreateThenProduce(ProduceCommand command, ProduceCompletion done) {
  {
    std::lock_guard lock(creating_mutex_);
    const auto [it, first] = creating_.try_emplace(command.topic);
    const std::string name = command.topic;
    it->second.emplace_back(std::move(command), std::move(done));
    if (!first) return;  // Whoever came first creates the topic; the others keep their order.
    ++creating_topics_;
    workers_.Post([this, name] { CreateTopicFor(name); });
  }
}

void Producing::CreateTopicFor(const std::string& name) {
  const auto topic = topics_.FindOrAutoCreate(name);
  // Requests that come while earlier ones are handed on must not overtake them.
  for (;;) {
    std::vector<std::pair<ProduceCommand, ProduceCompletion>> waiting;
    {
      std::lock_guard lock(creating_mutex_);
      const auto it = creating_.find(name);
      waiting.swap(it->second);
      if (waiting.empty()) {
        creating_.erase(it);
        --creating_topics_;
        return;
      }
    }
    for (auto& [command, done] : waiting) {
      if (topic.ok()) {
        ProduceTo(**topic, std::move(command), std::move(done));
      } else {
        std::move(done)(topic.status());
      }
    }
  }
}

void Producing::ProduceTo(const storage::Topic& topic, ProduceCommand command,
                          ProduceCompletion done) {
  auto placement = placer_.Place(topic, command.partition, std::move(command.records));
  if (!placement.ok()) return std::move(done)(placement.status());
  storage::WriteSet set{.durability = command.durability.value_or(default_durability_),
                        .admission = command.admission,
                        .on_calling_thread = command.on_calling_thread};
  AddAppends(topic, *placement, command.expected_next_offset, set);
  if (command.producer) {
    set.producer = std::move(command.producer);
    set.producer->annotation = EncodePlacement(*placement);
  }
  engine_.Write(std::move(set), [placement = *std::move(placement), done = std::move(done)](
                                    absl::StatusOr<storage::WriteResult> result) mutable {
    std::move(done)(Finish(std::move(result), std::move(placement)));
  });
}

absl::StatusOr<Producing::OpenedProducer> Producing::OpenProducer(std::string_view producer_id) {
  OpenedProducer opened{.producer_id = std::string(producer_id),
                        .window = engine_.producer_window()};
  if (opened.producer_id.empty()) {
    opened.producer_id = RandomId();
  } else if (absl::Status status = ValidateName("producer", producer_id); !status.ok()) {
    return status;
  }
  auto state = engine_.OpenProducer(opened.producer_id);
  if (!state.ok()) return state.status();
  opened.state = *state;
  return opened;
}

}  // namespace millrace::hub
