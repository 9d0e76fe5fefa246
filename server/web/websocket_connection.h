// A connection that has become a WebSocket.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <memory>

#include "server/web/gateway_command.h"
#include "server/web/http_judge.h"
#include "server/web/web_context.h"
#include "server/web/web_stream.h"

namespace millrace::server {

// Answers the handshake, which has been judged, and serves the socket on `io`, whose thread this
// is. The connection owns itself, and holds `place` among those of its principal. What is
// named outlives it.
void ServeWebSocket(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                    Caller caller, std::shared_ptr<const void> place,
                    const GatewayProtocol& protocol, const HttpHeader& handshake);

}  // namespace millrace::server
