// A connection that has become a stream of server-sent events.
#pragma once

#include <string>

#include "server/web/event_request.h"
#include "server/web/web_context.h"
#include "server/web/web_stream.h"

namespace millrace::server {

// Serves the socket on `io`, whose thread this is. The connection owns itself. What is named
// outlives it. `peer` is the client's address, `cors_origin` the foreign origin that may read;
// empty: none.
void ServeEvents(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                 EventRequest request, std::string peer, std::string cors_origin);

}  // namespace millrace::server
