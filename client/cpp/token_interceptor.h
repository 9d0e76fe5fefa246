// Puts a bearer token on every call of a channel. Included by this library's own .cc files only.
#pragma once

#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>
#include <vector>

namespace millrace::client {

// For the calls of one channel: each carries what the file holds at that moment, without white
// space around it, so that a token can be replaced while the program runs. A call for which it
// cannot be read carries none.
std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
TokenInterceptors(const std::string& token_file);

}  // namespace millrace::client
