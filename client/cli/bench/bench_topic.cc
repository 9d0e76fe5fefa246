#include "client/cli/bench/bench_topic.h"

#include <random>
#include <utility>

namespace millrace::cli {

absl::StatusOr<BenchTopic> BenchTopic::Open(Session& session, const std::string& name,
                                            int32_t partitions) {
  if (!name.empty()) {
    absl::StatusOr<client::TopicDescription> topic = session.admin().GetTopic(name);
    if (!topic.ok()) return topic.status();
    return BenchTopic(session, name, topic->topic.partition_count, false);
  }
  const std::string made_up = "bench-" + std::to_string(std::random_device{}());
  absl::StatusOr<client::Topic> topic = session.admin().CreateTopic(made_up, partitions);
  if (!topic.ok()) return topic.status();
  return BenchTopic(session, made_up, partitions, true);
}

BenchTopic::BenchTopic(Session& session, std::string name, int32_t partitions, bool temporary)
    : session_(&session), name_(std::move(name)), partitions_(partitions), temporary_(temporary) {}

BenchTopic::BenchTopic(BenchTopic&& other) noexcept
    : session_(other.session_),
      name_(std::move(other.name_)),
      partitions_(other.partitions_),
      temporary_(std::exchange(other.temporary_, false)) {}

BenchTopic::~BenchTopic() {
  if (!temporary_) return;
  if (absl::Status status = session_->admin().DeleteTopic(name_); !status.ok()) {
    session_->Tell("topic " + name_ + " is left behind: " + std::string(status.message()));
  }
}

}  // namespace millrace::cli
