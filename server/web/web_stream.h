// What a web connection reads and writes: a TCP socket, or TLS over one. The rest of the web port
// does not see the difference.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <memory>
#include <string>
#include <utility>

#include "server/tls/certificate_name.h"
#include "server/web/io_thread.h"

namespace millrace::server {

// An AsyncStream of Boost.Beast. To be moved only while nothing is under way on it.
class WebStream {
 public:
  using executor_type = Socket::executor_type;
  using SslContext = std::shared_ptr<net::ssl::context>;

  // Null: no TLS. Otherwise Handshake comes first.
  WebStream(Socket socket, SslContext context)
      : context_(std::move(context)), plain_(std::move(socket)) {
    if (context_ != nullptr) tls_ = std::make_unique<Tls>(std::move(plain_), *context_);
  }

  executor_type get_executor() { return socket().get_executor(); }
  Socket& socket() { return tls_ ? tls_->next_layer() : plain_; }
  bool is_tls() const { return tls_ != nullptr; }

  // Whether the client has shown what it must show: a certificate, where some CA is named. A bad
  // one has failed the handshake.
  bool has_proof() const {
    if (tls_ == nullptr || SSL_get_verify_mode(tls_->native_handle()) == SSL_VERIFY_NONE)
      return true;
    return SSL_get0_peer_certificate(tls_->native_handle()) != nullptr;
  }

  // Of the certificate that the client has shown; empty: none.
  std::string certificate_name() const {
    const X509* shown =
        tls_ == nullptr ? nullptr : SSL_get0_peer_certificate(tls_->native_handle());
    return shown == nullptr ? "" : CertificateName(shown);
  }

  // TLS only. The server's part of it.
  template <typename Handler>
  void Handshake(Handler handler) {
    tls_->async_handshake(net::ssl::stream_base::server, std::move(handler));
  }

  // TLS only. Says that nothing follows, and waits for the client to say so too.
  template <typename Handler>
  void Shutdown(Handler handler) {
    tls_->async_shutdown(std::move(handler));
  }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return net::async_initiate<Token, Transferred>(
        [this](auto handler, const Buffers& into) {
          tls_ ? tls_->async_read_some(into, std::move(handler))
               : plain_.async_read_some(into, std::move(handler));
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return net::async_initiate<Token, Transferred>(
        [this](auto handler, const Buffers& from) {
          tls_ ? tls_->async_write_some(from, std::move(handler))
               : plain_.async_write_some(from, std::move(handler));
        },
        token, buffers);
  }

  // How Boost.Beast ends a WebSocket. Found by argument-dependent look-up.
  template <typename Handler>
  friend void async_teardown(boost::beast::role_type role, WebStream& stream, Handler&& handler) {
    using boost::beast::websocket::async_teardown;
    stream.tls_ ? async_teardown(role, *stream.tls_, std::forward<Handler>(handler))
                : async_teardown(role, stream.plain_, std::forward<Handler>(handler));
  }
  friend void beast_close_socket(WebStream& stream) {
    boost::system::error_code ignored;
    stream.socket().close(ignored);
  }

 private:
  using Tls = net::ssl::stream<Socket>;
  using Transferred = void(boost::system::error_code, size_t);

  SslContext context_;
  Socket plain_;  // Moved from where there is TLS.
  std::unique_ptr<Tls> tls_;
};

}  // namespace millrace::server
