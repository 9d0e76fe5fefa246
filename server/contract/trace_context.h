// The trace that a call is a part of, as W3C's Trace Context (https://www.w3.org/TR/trace-context/)
// writes it in HTTP headers, and how it gets into the records that the call appends: as their
// headers `traceparent` and `tracestate`, which every reader gets with them.
//
// Records are stored as they come: only those of a call that carries a trace are written anew.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "server/hub/limits.h"
#include "storage/engine.h"

namespace millrace::server {

inline constexpr std::string_view kTraceparent = "traceparent";
inline constexpr std::string_view kTracestate = "tracestate";

struct TraceContext {
  std::string traceparent;
  std::string tracestate;  // May be empty.
};

// The trace of the headers that came, each of which may have come several times. Absent where there
// is no valid traceparent, or more than one: then the recommendation wants it ignored. A tracestate
// that is not valid is left out.
std::optional<TraceContext> TraceContextOf(absl::Span<const std::string_view> traceparents,
                                           absl::Span<const std::string_view> tracestates);

// The records, each with the trace as its last headers. One that has a traceparent of its own keeps
// it and gets nothing; so does one that would be over a limit with it.
storage::EncodedRecords WithTrace(const storage::EncodedRecords& records, const TraceContext& trace,
                                  const hub::Limits& limits);

}  // namespace millrace::server
