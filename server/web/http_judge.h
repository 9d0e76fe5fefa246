// What is checked of a request's header before anything else, and how headers are read and written.
// Whoever lets two readers of one byte stream disagree about where a request ends has been smuggled
// into: what is not plain is refused.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/web/http_message.h"

namespace millrace::server {

using HttpHeader = boost::beast::http::header<true, boost::beast::http::fields>;

// The answer to a header that is refused.
std::optional<HttpResponse> JudgeHeader(const HttpHeader& header);

// The request without its body.
HttpRequest ToRequest(const HttpHeader& header, Caller caller);

// What the client says who it is with: the values of Authorization, and, since a browser cannot set
// that for a WebSocket, of a subprotocol "millrace.bearer.TOKEN" that is offered beside the others.
std::vector<std::string> AuthorizationOf(const HttpHeader& header);

// Whether it is a WebSocket handshake of RFC 6455, version 13.
bool IsWebSocketUpgrade(const HttpHeader& header);

// The subprotocols that a handshake names, in order.
std::vector<std::string> SubprotocolsOf(const HttpHeader& header);

// The status line and the headers of an answer whose body has so many bytes. `cors_origin` is the
// foreign origin that may read it; empty: none.
std::string HeadOf(const HttpResponse& response, size_t body_bytes, bool keep_alive,
                   std::string_view cors_origin);

}  // namespace millrace::server
