// A connection that has become a stream of server-sent events.
#pragma once

#include <memory>
#include <string>

#include "server/web/event_request.h"
#include "server/web/web_context.h"
#include "server/web/web_stream.h"

namespace millrace::server {

// Serves the socket on `io`, whose thread this is. The connection owns itself. What is named
// outlives it. `place` is held among the caller's connections; `cors_origin` is the foreign origin
// that may read; empty: none.
void ServeEvents(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                 EventRequest request, Caller caller, std::shared_ptr<const void> place,
                 std::string cors_origin);

}  // namespace millrace::server
