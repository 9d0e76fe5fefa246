// What gRPC needs to speak TLS.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/tls/tls_files.h"

namespace millrace::server {

// gRPC looks at the files itself, once a second, and takes what is new for the connections to come:
// they are to be replaced together, as one directory or one link. With a client_ca every client
// must show a certificate that it vouches for. TLS 1.2 and 1.3.
std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(const TlsFiles& files);

}  // namespace millrace::server
