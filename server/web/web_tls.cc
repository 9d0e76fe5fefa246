#include "server/web/web_tls.h"

#include <openssl/ssl.h>

#include <boost/system/system_error.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

using boost::system::error_code;
using SslContext = net::ssl::context;

constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";  // Of TLS 1.2.
constexpr unsigned char kSessions[] = "millrace";

// A client that names protocols must know HTTP/1.1; without ALPN it is taken to.
int ChooseProtocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_length,
                   const unsigned char* offered, unsigned offered_length, void* /*unused*/) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const bool agreed = SSL_select_next_proto(&found, chosen_length, kHttp11, sizeof(kHttp11) - 1,
                                            offered, offered_length) == OPENSSL_NPN_NEGOTIATED;
  *chosen = found;
  return agreed ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

error_code AskForCertificates(const std::string& authorities, SslContext& context) {
  error_code error;
  context.add_certificate_authority(net::buffer(authorities), error);
  if (error) return error;
  // Not required by the handshake: probes of the hub's health have none.
  context.set_verify_mode(net::ssl::verify_peer, error);
  STACK_OF(X509_OBJECT)* trusted =
      X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.native_handle()));
  for (int i = 0; i < sk_X509_OBJECT_num(trusted); ++i) {
    X509* authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
    if (authority != nullptr) SSL_CTX_add_client_CA(context.native_handle(), authority);
  }
  return error;
}

error_code SetUp(const TlsMaterial& material, SslContext& context) {
  SSL_CTX* const handle = context.native_handle();
  SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
  SSL_CTX_set_options(handle, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_cipher_list(handle, kCiphers);
  SSL_CTX_set_session_id_context(handle, kSessions, sizeof(kSessions) - 1);
  SSL_CTX_set_alpn_select_cb(handle, ChooseProtocol, nullptr);
  SSL_CTX_set_mode(handle, SSL_MODE_RELEASE_BUFFERS);
  error_code error;
  context.use_certificate_chain(net::buffer(material.certificates), error);
  if (!error) context.use_private_key(net::buffer(material.key), SslContext::pem, error);
  if (!error && !material.client_ca.empty())
    error = AskForCertificates(material.client_ca, context);
  return error;
}

}  // namespace

absl::Status WebTls::Use(const TlsMaterial& material) {
  auto context = std::make_shared<SslContext>(SslContext::tls_server);
  if (const error_code error = SetUp(material, *context)) {
    return absl::InternalError(absl::StrCat("OpenSSL refuses the certificate: ", error.message()));
  }
  std::lock_guard lock(mutex_);
  current_ = std::move(context);
  return absl::OkStatus();
}

WebStream::SslContext WebTls::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace millrace::server
