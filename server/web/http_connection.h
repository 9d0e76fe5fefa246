// A connection of the web port: reads HTTP/1.1 requests and answers them, or hands the socket over
// to a WebSocket or an event stream.
#pragma once

#include "server/web/web_context.h"
#include "server/web/web_stream.h"

namespace millrace::server {

// Serves an accepted socket on `io`, whose thread this is. The connection owns itself. What is
// named outlives it.
void ServeHttp(WebContext& context, IoThread& io, Presence presence, WebStream stream);

}  // namespace millrace::server
