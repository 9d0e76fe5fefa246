#include "millrace/connection.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/channel.h"
#include "client/cpp/token_interceptor.h"

namespace millrace::client {
namespace {

// Milliseconds for a channel argument, which is an int.
int ArgumentMs(absl::Duration duration) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, std::numeric_limits<int>::max()));
}

// Whether what is sent to it stays on this machine, by how it is written. No name is looked up.
bool IsThisMachine(std::string_view target) {
  if (target.starts_with("unix:")) return true;
  const std::string host(target.substr(0, target.starts_with("[::1]") ? 5 : target.find(':')));
  const std::string_view port = target.substr(host.size());  // With its colon.
  if (!port.empty() &&
      (port[0] != ':' || !std::all_of(port.begin() + 1, port.end(), absl::ascii_isdigit))) {
    return false;
  }
  in_addr address{};
  return absl::EqualsIgnoreCase(host, "localhost") || host == "[::1]" ||
         (host.starts_with("127.") && inet_pton(AF_INET, host.c_str(), &address) == 1);
}

grpc::ChannelArguments Arguments(const ConnectionOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ArgumentMs(options.keepalive_time));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ArgumentMs(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, ArgumentMs(options.backoff.initial));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ArgumentMs(options.backoff.max));
  // Not a wait: how long one attempt may take, at least.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ArgumentMs(absl::Seconds(10)));
  arguments.SetMaxReceiveMessageSize(static_cast<int>(
      std::clamp<int64_t>(options.max_receive_bytes, 0, std::numeric_limits<int>::max())));
  arguments.SetMaxSendMessageSize(-1);
  // What stays on this machine goes past no proxy.
  if (IsThisMachine(options.target)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Two Connections of one process are two connections.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> Credentials(const std::optional<TlsOptions>& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls->ca;
  options.pem_cert_chain = tls->certificate;
  options.pem_private_key = tls->key;
  return grpc::SslCredentials(options);
}

}  // namespace

bool ExposesToken(const ConnectionOptions& options) {
  return !options.token_file.empty() && !options.tls && !options.token_in_clear &&
         !IsThisMachine(options.target);
}

Connection::Connection(std::unique_ptr<Internals> internals) : internals_(std::move(internals)) {}
Connection::~Connection() = default;

absl::StatusOr<std::shared_ptr<Connection>> Connection::Open(ConnectionOptions options) {
  if (ExposesToken(options)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Without TLS whoever is on the way to ", options.target,
                     " can read the token: use TLS, or ask for it with token_in_clear."));
  }
  auto internals = std::make_unique<Internals>();
  const auto credentials = Credentials(options.tls);
  internals->channel =
      options.token_file.empty()
          ? grpc::CreateCustomChannel(options.target, credentials, Arguments(options))
          : grpc::experimental::CreateCustomChannelWithInterceptors(
                options.target, credentials, Arguments(options),
                TokenInterceptors(options.token_file));
  internals->options = std::move(options);
  return std::shared_ptr<Connection>(new Connection(std::move(internals)));
}

const ConnectionOptions& Connection::options() const { return internals_->options; }

void SetDeadline(grpc::ClientContext& context, const ConnectionOptions& options) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + options.request_timeout));
}

}  // namespace millrace::client
