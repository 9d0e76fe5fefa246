// How the contract suite gets at an engine. An engine joins the suite with one file that implements
// EngineFactory and names it:
//
//   constexpr auto kMakeFactory = +[]() -> std::unique_ptr<EngineFactory> { ... };
//   INSTANTIATE_TEST_SUITE_P(Memory, EngineContract, testing::Values(kMakeFactory));
//   INSTANTIATE_TEST_SUITE_P(Memory, TransactionContract, testing::Values(kMakeFactory));
//
// and with an executable of that file and millrace_engine_contract. An engine that keeps its data
// instantiates DurableEngineContract too and links millrace_durable_engine_contract.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::storage {

// What the suite wants of an engine.
struct EngineSettings {
  const Clock* clock = nullptr;  // Outlives the engine.
  int32_t producer_window = 4;   // Outcomes kept per producer.
};

// The place of one engine's data. Made anew for each test; deletes the data when it goes.
class EngineFactory {
 public:
  virtual ~EngineFactory() = default;

  // Opens the engine on this place: empty the first time, later with what the engine before left
  // (where it keeps data). That engine has been destroyed.
  virtual absl::StatusOr<std::unique_ptr<Engine>> Open(const EngineSettings& settings) = 0;

  // Only DurableEngineContract calls it: opens the engine as after a kill of the process, where no
  // Close was called. `engine` is what Open gave; the factory may copy its files, and destroys it.
  virtual absl::StatusOr<std::unique_ptr<Engine>> ReopenAfterKill(std::unique_ptr<Engine> engine,
                                                                  const EngineSettings& settings);
};

using EngineFactoryMaker = std::unique_ptr<EngineFactory> (*)();

}  // namespace millrace::storage
