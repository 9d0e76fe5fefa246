// libFuzzer over what an HTTP client sends: a request goes through the parser, the judge of its
// header and everything that reads its parts. Nothing may crash, and what is passed must be framed
// plainly.
#include <google/protobuf/stubs/logging.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/web/event_request.h"
#include "server/web/http_judge.h"
#include "server/web/produce_request.h"
#include "storage/error.h"

namespace {

using namespace millrace::server;  // NOLINT: one file, nothing else in it.
namespace http = boost::beast::http;

void Require(bool condition) {
  if (!condition) std::abort();
}

void TryTarget(const HttpRequest& request) {
  if (const auto path = PathOf(request.target)) Require(!path->empty() && path->front() == '/');
  const auto events = ToEventRequest(request);
  if (!events.ok()) {
    Require(millrace::storage::ReasonOf(events.status()).has_value());
  } else if (events->resume) {
    const auto again = ResumePoint::Parse(events->resume->Token());
    Require(again.has_value() && again->Token() == events->resume->Token());
  }
}

void TryBody(const HttpRequest& request) {
  if (!TakesRecordsAs(request.content_type)) return;
  const auto command = ToProduceCommand(request, "t", {});
  Require(command.ok() ? command->records.count > 0
                       : millrace::storage::ReasonOf(command.status()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::SetLogHandler(nullptr);
  http::request_parser<http::string_body> parser;
  parser.header_limit(16 << 10);
  parser.body_limit(1 << 20);
  parser.eager(true);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(data, size), error);
  if (!parser.is_header_done()) return 0;
  const auto& header = parser.get();
  if (JudgeHeader(header)) return 0;
  Require(header.count(http::field::host) == 1 || header.version() == 10);
  Require(header.count(http::field::transfer_encoding) == 0 ||
          (header.count(http::field::transfer_encoding) == 1 && parser.chunked() &&
           header.count(http::field::content_length) == 0));
  HttpRequest request = ToRequest(header, {.peer = "peer"});
  SubprotocolsOf(header);
  IsWebSocketUpgrade(header);
  TryTarget(request);
  if (error || !parser.is_done()) return 0;
  request.body = parser.get().body();
  TryBody(request);
  return 0;
}
