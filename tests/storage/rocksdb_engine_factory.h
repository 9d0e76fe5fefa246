// RocksDB engines in a directory of the test's own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/storage/contract/engine_factory.h"
#include "tests/support/temporary_directory.h"

namespace millrace::storage {

// Where files take no disk, if there is such a place.
inline std::filesystem::path InMemory() {
  const std::filesystem::path shared_memory = "/dev/shm";
  return std::filesystem::is_directory(shared_memory) ? shared_memory
                                                      : std::filesystem::temp_directory_path();
}

inline RocksDbOptions OptionsFor(const std::filesystem::path& data_dir) {
  return {.data_dir = data_dir.string(),
          .disk_reserve_bytes = 0,
          .retention_interval = absl::ZeroDuration()};
}

class RocksDbEngineFactory : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<Engine>> Open(const EngineSettings& settings) override {
    RocksDbOptions options = OptionsFor(directory_.path() / std::to_string(generation_));
    options.clock = settings.clock;
    options.producer_window = settings.producer_window;
    return RocksDbEngine::Open(std::move(options));
  }

  // A copy of the files of a running engine is what a kill leaves: all that was handed to the
  // kernel.
  absl::StatusOr<std::unique_ptr<Engine>> ReopenAfterKill(std::unique_ptr<Engine> engine,
                                                          const EngineSettings& settings) override {
    const auto before = directory_.path() / std::to_string(generation_);
    ++generation_;
    std::filesystem::copy(before, directory_.path() / std::to_string(generation_),
                          std::filesystem::copy_options::recursive);
    engine.reset();
    return Open(settings);
  }

 private:
  TemporaryDirectory directory_;
  int generation_ = 0;
};

}  // namespace millrace::storage
