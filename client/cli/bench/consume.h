// How fast records can be read.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/bench/load.h"
#include "client/cli/interrupts.h"
#include "client/cli/session.h"

namespace millrace::cli {

// Reads everything that `topic` holds, from the beginning, with so many independent readers at the
// same time, each of them all of it, until all have reached the end, `duration` has passed or an
// interrupt comes. The sum over the readers. The first error of any of them.
absl::StatusOr<Throughput> ReadLoad(Session& session, const Interrupts& interrupts,
                                    const std::string& topic, int32_t readers,
                                    absl::Duration duration);

}  // namespace millrace::cli
