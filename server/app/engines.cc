#include "server/app/engines.h"

#include <utility>

#include "storage/memory/memory_engine.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace millrace::server {

absl::StatusOr<std::unique_ptr<storage::Engine>> OpenEngine(
    const Settings& settings, std::function<void(absl::Status)> on_failure) {
  if (settings.engine == EngineKind::kMemory) {
    return std::make_unique<storage::MemoryEngine>(
        storage::MemoryOptions{.producer_window = settings.producer_window});
  }
  auto engine = storage::RocksDbEngine::Open({.data_dir = settings.data_dir,
                                              .producer_window = settings.producer_window,
                                              .tail_cache_bytes = settings.tail_cache_bytes,
                                              .write_queue_bytes = settings.write_queue_bytes,
                                              .on_failure = std::move(on_failure)});
  if (!engine.ok()) return engine.status();
  return *std::move(engine);
}

}  // namespace millrace::server
