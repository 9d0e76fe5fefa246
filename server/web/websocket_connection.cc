#include "server/web/websocket_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "server/hub/timer_queue.h"
#include "server/web/gateway_session.h"
#include "server/web/tcp_progress.h"

namespace millrace::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr size_t kKeptBufferBytes = 4 << 10;
constexpr size_t kMaxReadBytes = 64 << 10;  // At a time, so that the budget is asked often enough.
// How long a client may take to answer a close, or to take one that is behind other bytes.
constexpr absl::Duration kClosePatience = absl::Seconds(5);

// One read, one write and one close are under way at most; none is while a client that is ahead of
// the hub is held back. Messages wait in queue_: one a subscription, and those of the commands
// being worked on.
class WebSocketConnection final : public Connection,
                                  public GatewayLink,
                                  public std::enable_shared_from_this<WebSocketConnection> {
 public:
  WebSocketConnection(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                      Caller caller, std::shared_ptr<const void> place,
                      const GatewayProtocol& protocol)
      : open_(context.watch().websockets),
        place_(std::move(place)),
        methods_(context.gateway_methods()),
        io_(io),
        presence_(presence),
        caller_(std::move(caller)),
        limits_(context.limits()),
        protocol_(protocol),
        share_(context.receive_budget()),
        socket_(std::move(stream)),
        session_(std::make_shared<GatewaySession>(
            GatewaySession::Context{context.hub(), context.gateway_methods(), protocol, io,
                                    std::move(presence), caller_},
            *this)) {}

  void Accept(const HttpHeader& handshake) {
    self_ = shared_from_this();
    last_heard_ = hub::MonotonicNow();
    deadline_ = last_heard_ + limits_.header_timeout;
    socket_.read_message_max(static_cast<size_t>(limits_.max_message_bytes));
    socket_.auto_fragment(false);
    protocol_.is_text() ? socket_.text(true) : socket_.binary(true);
    socket_.set_option(
        websocket::stream_base::decorator([this](websocket::response_type& response) {
          response.set(http::field::sec_websocket_protocol,
                       beast::string_view(protocol_.name().data(), protocol_.name().size()));
          response.set(http::field::server, "millrace");
        }));
    socket_.control_callback([this](websocket::frame_type /*kind*/, beast::string_view) {
      last_heard_ = hub::MonotonicNow();
    });
    handshake_.base() = handshake;
    socket_.async_accept(handshake_, [self = shared_from_this()](error_code error) {
      self->handshake_ = {};
      if (error || self->over_) return self->Abort();
      self->accepted_ = true;
      self->WatchAccess();
      self->deadline_ = absl::InfiniteDuration();
      self->Read();
    });
  }

  void Tick(absl::Duration now) override {
    if (over_) return;
    if (now >= deadline_) return Abort();
    if (!accepted_ || closing_) return;
    if (writing_ && NothingTaken(now)) return Close(GatewayClose::kTooSlow, "nothing was read");
    if (message_began_ && now - *message_began_ > limits_.message_timeout) {
      return Close(GatewayClose::kTooSlow, "a message took too long");
    }
    if (!reading_) {  // What the client says meanwhile waits, its pongs too.
      last_heard_ = now;
      return Read();
    }
    if (now - last_heard_ > limits_.idle_timeout) return Abort();
    if (now - last_heard_ > limits_.idle_timeout / 2) Ping();
  }

  void Drain() override {
    if (!over_) session_->Drain();
  }

  void Abort() override {
    if (std::exchange(over_, true)) return;
    session_->Stop();
    queue_.clear();
    error_code ignored;
    socket_.next_layer().socket().close(ignored);
    watch_.reset();
    self_.reset();
  }

  void Send(Pieces message, absl::AnyInvocable<void() &&> written) override {
    if (over_ || closing_) return;
    queue_.push_back({std::move(message).Take(), std::move(written)});
    Write();
  }

  void Close(GatewayClose code, std::string_view reason) override {
    if (!accepted_) return Abort();
    if (over_ || std::exchange(closing_, true)) return;
    session_->Stop();
    close_reason_.code = static_cast<uint16_t>(code);
    close_reason_.reason.assign(reason.data(), reason.size());
    deadline_ = hub::MonotonicNow() + kClosePatience;
    if (code == GatewayClose::kTooSlow) queue_.clear();  // It has had its chance.
    StartClose();
  }

 private:
  using WebSocket = websocket::stream<WebStream, false>;

  struct Outgoing {
    std::vector<storage::SharedSlice> slices;
    absl::AnyInvocable<void() &&> written;
  };

  // ---- Who is there

  void WatchAccess() {
    watch_ = methods_.subscribe.WatchStreamOf(
        caller_, ConnectionBegin{},
        [weak = weak_from_this(), &io = io_, presence = presence_](StreamEnd end) {
          io.Post([weak, end] {
            if (const auto self = weak.lock()) self->OnAccessOver(end);
          });
        });
  }

  void OnAccessOver(StreamEnd end) {
    if (over_) return;
    switch (end) {
      case StreamEnd::kRefused:
        return Close(GatewayClose::kForbidden, "the caller may no longer do anything here");
      case StreamEnd::kExpired:
        return Close(GatewayClose::kUnauthenticated, "the credential has expired");
      case StreamEnd::kMaxAge:
        return session_->Drain(hub::EndingReason::kMaxAge);
    }
  }

  // ---- Reading

  void Read() {
    if (reading_ || over_ || closing_ || !session_->has_room()) return;
    reading_ = true;
    socket_.async_read_some(buffer_, kMaxReadBytes,
                            [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                              self->reading_ = false;
                              if (self->over_) return;
                              if (error) return self->OnReadError(error);
                              self->OnRead();
                            });
  }

  // What breaks the protocol has been answered with a close frame by then.
  void OnReadError(error_code /*error*/) {
    if (!closing_) Abort();
  }

  void OnRead() {
    last_heard_ = hub::MonotonicNow();
    if (closing_) return;
    if (!socket_.is_message_done()) {
      if (!message_began_) message_began_ = last_heard_;
      if (!share_.Set(static_cast<int64_t>(buffer_.size()))) {
        return Close(GatewayClose::kTooMuch, "too much is being received at once");
      }
      return Read();
    }
    message_began_.reset();
    const auto data = buffer_.data();
    session_->OnMessage({static_cast<const char*>(data.data()), data.size()}, socket_.got_text());
    buffer_.clear();
    share_.Set(0);
    if (buffer_.capacity() > kKeptBufferBytes) buffer_.shrink_to_fit();
    Read();
  }

  // ---- Writing

  void Write() {
    if (writing_ || over_ || close_started_) return;
    if (queue_.empty()) return StartClose();
    writing_ = true;
    progress_.Begin(hub::MonotonicNow());
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    buffers_.clear();
    for (const storage::SharedSlice& slice : outgoing_.slices) {
      buffers_.emplace_back(slice.bytes.data(), slice.bytes.size());
    }
    socket_.async_write(std::span<const net::const_buffer>(buffers_),
                        [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                          self->writing_ = false;
                          if (error) return self->Abort();
                          self->OnWritten();
                        });
  }

  void OnWritten() {
    Outgoing sent = std::exchange(outgoing_, {});
    if (over_) return;
    if (!closing_) std::move(sent.written)();
    Write();
    Read();  // There may be room again.
  }

  bool NothingTaken(absl::Duration now) {
    return progress_.Silence(socket_.next_layer().socket().native_handle(), now) >
           limits_.write_timeout;
  }

  void Ping() {
    if (pinging_) return;
    pinging_ = true;
    socket_.async_ping(
        {}, [self = shared_from_this()](error_code /*error*/) { self->pinging_ = false; });
  }

  // ---- The end

  // Once nothing waits to be written, or it is given up; a write under way goes first all the same.
  void StartClose() {
    if (!closing_ || close_started_ || over_ || !queue_.empty()) return;
    close_started_ = true;
    socket_.async_close(close_reason_,
                        [self = shared_from_this()](error_code /*error*/) { self->Abort(); });
  }

  const OpenCount::Mark open_;
  const std::shared_ptr<const void> place_;  // Among the principal's connections.
  const GatewayMethods& methods_;
  IoThread& io_;
  const Presence presence_;
  const Caller caller_;
  std::shared_ptr<const void> watch_;  // Until Abort.
  const WebLimits& limits_;
  const GatewayProtocol& protocol_;
  ReceiveBudget::Share share_;
  WebSocket socket_;
  const std::shared_ptr<GatewaySession> session_;
  std::shared_ptr<WebSocketConnection> self_;  // Until Abort.
  http::request<http::empty_body> handshake_;

  absl::Duration deadline_;  // Of hub::MonotonicNow: of the handshake, or of the end.
  bool accepted_ = false;
  bool closing_ = false;
  bool close_started_ = false;
  bool over_ = false;
  websocket::close_reason close_reason_;

  bool reading_ = false;
  beast::flat_buffer buffer_;
  std::optional<absl::Duration> message_began_;  // Of one that is not complete.
  absl::Duration last_heard_;
  bool pinging_ = false;

  bool writing_ = false;
  std::deque<Outgoing> queue_;
  Outgoing outgoing_;
  std::vector<net::const_buffer> buffers_;
  WriteProgress progress_;
};

}  // namespace

void ServeWebSocket(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                    Caller caller, std::shared_ptr<const void> place,
                    const GatewayProtocol& protocol, const HttpHeader& handshake) {
  auto connection =
      std::make_shared<WebSocketConnection>(context, io, std::move(presence), std::move(stream),
                                            std::move(caller), std::move(place), protocol);
  io.Add(connection);
  connection->Accept(handshake);
}

}  // namespace millrace::server
