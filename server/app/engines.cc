#include "server/app/engines.h"

#include <utility>

#include "storage/memory/memory_engine.h"

namespace millrace::server {

absl::StatusOr<std::unique_ptr<storage::Engine>> OpenEngine(
    const Settings& settings, std::function<void(absl::Status)> on_failure) {
  return std::make_unique<storage::MemoryEngine>(
      storage::MemoryOptions{.producer_window = settings.producer_window});
}

}  // namespace millrace::server
