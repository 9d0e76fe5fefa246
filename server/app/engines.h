// The one place that knows which storage engines there are.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/app/settings.h"
#include "storage/engine.h"

namespace millrace::server {

// Opens the log that the settings name. `on_failure` is called at most once, from an engine thread
// or one that writes, when the log has failed for good and nothing it holds in memory may be
// believed. Errors are sentences for a person.
absl::StatusOr<std::unique_ptr<storage::Engine>> OpenEngine(
    const Settings& settings, std::function<void(absl::Status)> on_failure);

}  // namespace millrace::server
