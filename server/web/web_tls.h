// How the web port speaks TLS: with which certificate, whom it trusts.
#pragma once

#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "server/tls/tls_files.h"
#include "server/web/web_stream.h"

namespace millrace::server {

// TLS 1.2 and 1.3 with forward secrecy. Threads: any.
class WebTls {
 public:
  // What the connections to come use. Internal: OpenSSL refuses the material, which LoadTls has
  // accepted; what was there before stays.
  absl::Status Use(const TlsMaterial& material);

  // For a new connection; null before the first Use.
  WebStream::SslContext current() const;

 private:
  mutable std::mutex mutex_;
  WebStream::SslContext current_;  // Guarded by mutex_.
};

}  // namespace millrace::server
