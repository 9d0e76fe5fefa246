// The hub's log: one line an event on standard error, for a person (key=value) or a program (JSON).
//
// Threads: any, after StartLog.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/types/span.h"

namespace millrace::server {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

// A fact that goes with an event.
using LogField = std::pair<std::string_view, std::string>;

// Sets what is written and how. Call once, before the first Log.
void StartLog(LogLevel level, LogFormat format);

// `event` is a short phrase that stays the same, such as "hub started"; what varies is in `fields`.
void Log(LogLevel level, std::string_view event, absl::Span<const LogField> fields = {});

}  // namespace millrace::server
