#include "server/web/http_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_dynamic_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/hub/timer_queue.h"
#include "server/web/event_connection.h"
#include "server/web/http_judge.h"
#include "server/web/tcp_progress.h"
#include "server/web/websocket_connection.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

// Grows as the body comes, whatever length it promised.
using Body = http::basic_dynamic_body<beast::flat_buffer>;
using Parser = http::request_parser<Body>;

constexpr uint32_t kMaxHeaderBytes = 16 << 10;
constexpr size_t kKeptBufferBytes = 4 << 10;
constexpr size_t kFirstReadBytes = 512;  // Under TLS.
// After an error the client may still be sending; closing at once would take the answer from it.
constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr size_t kLingerBytes = 1 << 20;

class HttpConnection final : public Connection,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(WebContext& context, IoThread& io, Presence presence, WebStream stream)
      : context_(context),
        io_(io),
        presence_(std::move(presence)),
        stream_(std::move(stream)),
        peer_(PeerOf(stream_.socket())),
        share_(context.receive_budget()) {}

  void Start() {
    SetDeadline(context_.limits().header_timeout);
    stream_.is_tls() ? ShakeHands() : AwaitRequest();
  }

  void Tick(absl::Duration now) override {
    if (phase_ == Phase::kWriting) {
      const absl::Duration silence = progress_.Silence(stream_.socket().native_handle(), now);
      deadline_ = now - silence + context_.limits().write_timeout;
    }
    if (now < deadline_) return;
    const bool has_begun =
        (phase_ == Phase::kHeader && parser_->got_some()) || phase_ == Phase::kBody;
    if (!has_begun || timed_out_) return Abort();
    // The read under way ends with that, and is answered.
    timed_out_ = true;
    SetDeadline(kLinger);
    error_code ignored;
    stream_.socket().cancel(ignored);
  }

  void Drain() override {
    draining_ = true;
    if (phase_ == Phase::kIdle) Abort();
  }

  void Abort() override {
    error_code ignored;
    phase_ = Phase::kOver;
    stream_.socket().close(ignored);
  }

 private:
  enum class Phase { kShakingHands, kIdle, kHeader, kBody, kHandling, kWriting, kLingering, kOver };

  void SetDeadline(absl::Duration patience) { deadline_ = hub::MonotonicNow() + patience; }

  // ---- Reading

  void ShakeHands() {
    phase_ = Phase::kShakingHands;
    stream_.Handshake([self = shared_from_this()](error_code error) {
      if (self->phase_ != Phase::kShakingHands) return;
      if (error) return self->Abort();
      self->SetDeadline(self->context_.limits().header_timeout);
      self->AwaitRequest();
    });
  }

  void AwaitRequest() {
    if (buffer_.size() > 0) return ReadHeader();
    phase_ = Phase::kIdle;
    if (stream_.is_tls()) {
      // What TLS has read already would not wake a wait for the socket.
      stream_.async_read_some(buffer_.prepare(kFirstReadBytes),
                              [self = shared_from_this()](error_code error, size_t bytes) {
                                self->buffer_.commit(bytes);
                                self->OnRequestBegun(error);
                              });
    } else {
      // Without a buffer, so that a connection that does nothing costs little.
      stream_.socket().async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
        self->OnRequestBegun(error);
      });
    }
  }

  void OnRequestBegun(error_code error) {
    if (phase_ != Phase::kIdle) return;
    if (error) return Abort();
    SetDeadline(context_.limits().header_timeout);
    ReadHeader();
  }

  void ReadHeader() {
    phase_ = Phase::kHeader;
    origin_.clear();
    is_head_ = false;
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(static_cast<uint64_t>(context_.limits().max_message_bytes));
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                              if (self->phase_ != Phase::kHeader) return;
                              if (error) return self->OnReadError(error);
                              self->OnHeader();
                            });
  }

  void OnReadError(error_code error) {
    if (timed_out_) return Refuse(BadRequest(408, "the request took too long to arrive"));
    if (error == http::error::header_limit) {
      return Refuse(BadRequest(431, "the header is too large"));
    }
    if (error == http::error::body_limit) {
      return Refuse(BadRequest(
          413, absl::StrCat("a body may have ", context_.limits().max_message_bytes, " bytes")));
    }
    const bool is_http =
        error.category() == http::make_error_code(http::error::bad_value).category();
    if (!is_http || error == http::error::end_of_stream || error == http::error::partial_message) {
      return Abort();
    }
    Refuse(BadRequest(400, absl::StrCat("this is no HTTP/1.1: ", error.message())));
  }

  void OnHeader() {
    const auto& header = parser_->get();
    keep_alive_ = header.version() == 11 && header.keep_alive();
    is_head_ = header.method() == http::verb::head;
    if (auto refusal = JudgeHeader(header)) return Refuse(*std::move(refusal));
    origin_ = std::string(header[http::field::origin]);
    const std::string host(header[http::field::host]);
    if (!origin_.empty() && !context_.Allows(origin_, host)) {
      origin_.clear();
      return Refuse(ErrorResponse(storage::Error(storage::Reason::kPermissionDenied,
                                                 "pages of this origin may not use this hub")));
    }
    Route();
  }

  void Route() {
    request_ = ToRequest(parser_->get(), IdentifyCaller());
    const std::string path = PathOf(request_.target).value_or("");
    if (!stream_.has_proof() && path != "/healthz" && path != "/readyz") {
      return Refuse(ErrorResponse(
          storage::Error(storage::Reason::kUnauthenticated, "show a certificate of the client's")));
    }
    if (request_.method == "OPTIONS") return Preflight();
    if (path == "/v1/ws" || path == "/v1/sse") return HandOver(path == "/v1/ws");
    if (auto refusal = context_.api().Refusal(request_)) return Refuse(*std::move(refusal));
    if (!share_.Set(BodyBytes())) return Refuse(TooMuch());
    if (absl::EqualsIgnoreCase(Text(parser_->get()[http::field::expect]), "100-continue")) {
      return Continue();
    }
    ReadBody();
  }

  Caller IdentifyCaller() {
    Access* const access = context_.watch().access();
    if (access == nullptr) return {.peer = peer_};
    const std::vector<std::string> shown = AuthorizationOf(parser_->get());
    return Identify(access, peer_, {shown.begin(), shown.end()}, stream_.certificate_name());
  }

  // How many bytes of a body may come.
  int64_t BodyBytes() const {
    if (parser_->is_done()) return 0;
    const auto length = parser_->content_length();
    return length ? static_cast<int64_t>(*length) : context_.limits().max_message_bytes;
  }

  static std::string Text(beast::string_view view) { return std::string(view); }

  void Continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    phase_ = Phase::kBody;
    SetDeadline(context_.limits().message_timeout);
    net::async_write(stream_, net::buffer(kContinue),
                     [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                       if (self->phase_ != Phase::kBody) return;
                       if (error) return self->Abort();
                       self->ReadBody();
                     });
  }

  void ReadBody() {
    phase_ = Phase::kBody;
    SetDeadline(context_.limits().message_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                       if (self->phase_ != Phase::kBody) return;
                       if (error) return self->OnReadError(error);
                       self->Handle();
                     });
  }

  static HttpResponse TooMuch() {
    return ErrorResponse(
        503, storage::Error(storage::Reason::kOverloaded, "too much is being received at once"));
  }

  void Handle() {
    phase_ = Phase::kHandling;
    deadline_ = absl::InfiniteDuration();  // It is the hub's time, not the client's.
    const auto data = parser_->get().body().data();
    request_.body.assign(static_cast<const char*>(data.data()), data.size());
    parser_->get().body().clear();
    context_.api().Handle(
        std::exchange(request_, {}), [self = shared_from_this()](HttpResponse response) mutable {
          IoThread& io = self->io_;
          io.Post([self = std::move(self), response = std::move(response)]() mutable {
            if (self->phase_ == Phase::kHandling) self->Write(std::move(response));
          });
        });
  }

  // ---- Handing over

  // Everything that a browser asks before it lets a page of an allowed origin call.
  void Preflight() {
    HttpResponse response{.status = 204};
    if (context_.IsForeign(origin_)) {
      response.headers = {{"Access-Control-Allow-Methods", "GET, POST"},
                          {"Access-Control-Allow-Headers",
                           "Authorization, Content-Type, Millrace-Key, Last-Event-ID, traceparent, "
                           "tracestate"},
                          {"Access-Control-Max-Age", "600"}};
    }
    Write(std::move(response));
  }

  void HandOver(bool to_websocket) {
    if (request_.method != "GET") return Refuse(BadRequest(405, "this path takes GET"));
    if (!parser_->is_done() || buffer_.size() > 0) {
      return Refuse(BadRequest(400, "nothing may follow this request before its answer"));
    }
    if (absl::Status status = context_.hub().Admit(); !status.ok()) {
      return Refuse(ErrorResponse(status));
    }
    if (absl::Status status = Enter(to_websocket); !status.ok()) {
      return Refuse(ErrorResponse(status));
    }
    to_websocket ? ToWebSocket() : ToEvents();
  }

  // Takes the principal's place among its connections; for a WebSocket, which may do many things,
  // it must have some right at all.
  absl::Status Enter(bool to_websocket) {
    if (context_.watch().access() == nullptr) return absl::OkStatus();
    const Transport transport = to_websocket ? Transport::kWebSocket : Transport::kHttp;
    ServedMethod& served = context_.watch().Method(transport, "connect");
    absl::Status status = served.Admit(request_.caller, ConnectionBegin{});
    if (status.ok()) {
      auto place = served.Enter(request_.caller, {Place::kConnection});
      status = place.status();
      if (place.ok()) place_ = *std::move(place);
    }
    served.NoteEnd(status);
    return status;
  }

  void ToWebSocket() {
    const auto& header = parser_->get();
    if (!IsWebSocketUpgrade(header)) {
      return Refuse(BadRequest(400, "this path takes a WebSocket handshake"));
    }
    const GatewayProtocol* protocol = nullptr;
    for (const std::string& name : SubprotocolsOf(header)) {
      if (protocol == nullptr) protocol = context_.ProtocolNamed(name);
    }
    if (protocol == nullptr) {
      return Refuse(BadRequest(400, "name a subprotocol: millrace.v1.json or millrace.v1.proto"));
    }
    phase_ = Phase::kOver;
    ServeWebSocket(context_, io_, presence_, std::move(stream_), std::move(request_.caller),
                   std::move(place_), *protocol, parser_->release());
  }

  void ToEvents() {
    auto request = ToEventRequest(request_);
    if (!request.ok()) return Refuse(ErrorResponse(request.status()));
    phase_ = Phase::kOver;
    ServeEvents(context_, io_, presence_, std::move(stream_), *std::move(request),
                std::move(request_.caller), std::move(place_),
                context_.IsForeign(origin_) ? origin_ : "");
  }

  // ---- Writing

  // Answers, and closes: the rest of what the client sends is not to be believed, or not wanted.
  void Refuse(HttpResponse response) {
    keep_alive_ = false;
    Write(std::move(response));
  }

  void Write(HttpResponse response) {
    phase_ = Phase::kWriting;
    progress_.Begin(hub::MonotonicNow());
    keep_alive_ = keep_alive_ && !draining_;
    slices_ = std::move(response.body).Take();
    size_t size = 0;
    for (const storage::SharedSlice& slice : slices_) size += slice.bytes.size();
    if (is_head_) slices_.clear();
    head_ = HeadOf(response, size, keep_alive_, context_.IsForeign(origin_) ? origin_ : "");
    std::vector<net::const_buffer> buffers = {net::buffer(head_)};
    for (const storage::SharedSlice& slice : slices_) {
      buffers.emplace_back(slice.bytes.data(), slice.bytes.size());
    }
    net::async_write(stream_, buffers, [self = shared_from_this()](error_code error, size_t) {
      if (self->phase_ != Phase::kWriting) return;
      if (error) return self->Abort();
      self->OnWritten();
    });
  }

  void OnWritten() {
    slices_.clear();
    parser_.reset();
    share_.Set(0);
    if (!keep_alive_) return Linger();
    if (buffer_.size() == 0 && buffer_.capacity() > kKeptBufferBytes) buffer_.shrink_to_fit();
    SetDeadline(buffer_.size() > 0 ? context_.limits().header_timeout
                                   : context_.limits().idle_timeout);
    AwaitRequest();
  }

  void Linger() {
    phase_ = Phase::kLingering;
    SetDeadline(kLinger);
    if (stream_.is_tls()) {
      return stream_.Shutdown([self = shared_from_this()](error_code) { self->Abort(); });
    }
    error_code error;
    stream_.socket().shutdown(Socket::shutdown_send, error);
    if (error) return Abort();
    head_.resize(4 << 10);
    ReadOn(0);
  }

  void ReadOn(size_t so_far) {
    stream_.async_read_some(net::buffer(head_),
                            [self = shared_from_this(), so_far](error_code error, size_t bytes) {
                              if (self->phase_ != Phase::kLingering) return;
                              if (error || so_far + bytes > kLingerBytes) return self->Abort();
                              self->ReadOn(so_far + bytes);
                            });
  }

  WebContext& context_;
  IoThread& io_;
  const Presence presence_;
  WebStream stream_;
  const std::string peer_;
  ReceiveBudget::Share share_;

  Phase phase_ = Phase::kIdle;
  absl::Duration deadline_ = absl::InfiniteDuration();  // Of hub::MonotonicNow.
  bool draining_ = false;
  bool timed_out_ = false;

  // Of the request under way.
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  HttpRequest request_;
  std::shared_ptr<const void> place_;  // Among the principal's connections; to be handed over.
  std::string origin_;
  bool keep_alive_ = false;
  bool is_head_ = false;

  // Of the answer being written.
  std::string head_;
  std::vector<storage::SharedSlice> slices_;
  WriteProgress progress_;
};

}  // namespace

void ServeHttp(WebContext& context, IoThread& io, Presence presence, WebStream stream) {
  auto connection =
      std::make_shared<HttpConnection>(context, io, std::move(presence), std::move(stream));
  io.Add(connection);
  connection->Start();
}

}  // namespace millrace::server
