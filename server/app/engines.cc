#include "server/app/engines.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/app/log.h"
#include "storage/memory/memory_engine.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace millrace::server {

namespace {

absl::Status WithAdvice(const absl::Status& status, bool accepted) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(absl::StrCat(
      std::string(status.message()),
      accepted ? " It cannot be opened even without what is missing: put a checkpoint in its place."
               : " Put a checkpoint in its place, or start once with --accept-data-loss to go on "
                 "without what is missing."));
}

void LogLoss(absl::Span<const storage::LostRange> lost) {
  for (const storage::LostRange& range : lost) {
    Log(LogLevel::kWarn, "records lost",
        {{"partition", range.partition},
         {"from", absl::StrCat(range.from.value())},
         {"to", absl::StrCat(range.to.value() - 1)}});
  }
  Log(LogLevel::kWarn, "data loss accepted",
      {{"ranges", absl::StrCat(lost.size())}, {"next", "start without --accept-data-loss"}});
}

}  // namespace

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
                                              .accept_data_loss = settings.accept_data_loss,
                                              .on_failure = std::move(on_failure)});
  if (!engine.ok()) return WithAdvice(engine.status(), settings.accept_data_loss);
  if (settings.accept_data_loss) LogLoss((*engine)->lost());
  return *std::move(engine);
}

}  // namespace millrace::server
