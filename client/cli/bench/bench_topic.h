// The topic that a benchmark runs on.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/session.h"

namespace millrace::cli {

// Either a topic that is there, or one made for the benchmark and deleted with this object.
class BenchTopic {
 public:
  // An empty `name` makes a topic with `partitions` partitions. TOPIC_NOT_FOUND; the hub's others.
  static absl::StatusOr<BenchTopic> Open(Session& session, const std::string& name,
                                         int32_t partitions);

  ~BenchTopic();
  BenchTopic(BenchTopic&& other) noexcept;
  BenchTopic& operator=(BenchTopic&&) = delete;

  const std::string& name() const { return name_; }
  int32_t partitions() const { return partitions_; }

 private:
  BenchTopic(Session& session, std::string name, int32_t partitions, bool temporary);

  Session* session_;
  std::string name_;
  int32_t partitions_;
  bool temporary_;
};

}  // namespace millrace::cli
