#include "client/cli/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "client/cli/errors.h"
#include "client/cli/output/terminal.h"

namespace millrace::cli {
namespace {

// What the option says, or else the variable.
std::string OptionOr(const std::string& option, const char* variable) {
  if (!option.empty()) return option;
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

bool IsSet(bool option, const char* variable) { return option || OptionOr("", variable) == "1"; }

// No name: no text.
absl::Status ReadFile(const std::string& name, std::string& text) {
  if (name.empty()) return absl::OkStatus();
  std::ifstream file(name, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(file), {});
  if (file.good() || file.eof()) return absl::OkStatus();
  return UsageError("cannot read " + name + ": " + std::strerror(errno));
}

}  // namespace

Session::Session()
    : out_(STDOUT_FILENO), colour_(WantsColour(IsTerminal(STDOUT_FILENO), [](const char* name) {
        return std::getenv(name);
      })) {}

std::string Session::target() const {
  if (!options_.target.empty()) return options_.target;
  const char* variable = std::getenv("MILLRACE_TARGET");
  return variable != nullptr && *variable != '\0' ? variable : "localhost:9640";
}

void Session::Tell(std::string_view message) const {
  const std::string line = "millrace: " + std::string(message) + "\n";
  std::fputs(line.c_str(), stderr);
}

absl::Status Session::ReadCredentials() {
  std::string token;
  absl::Status status = ReadTls();
  status.Update(ReadFile(OptionOr(options_.token_file, "MILLRACE_TOKEN_FILE"), token));
  if (status.ok() && client::ExposesToken(connection_options())) {
    return UsageError(
        "without TLS whoever is on the way to " + target() +
        " can read the token; use --tls or --tls-ca, or allow it with --token-in-clear");
  }
  return status;
}

absl::Status Session::ReadTls() {
  const std::string ca = OptionOr(options_.tls_ca, "MILLRACE_TLS_CA");
  const std::string certificate = OptionOr(options_.client_cert, "MILLRACE_CLIENT_CERT");
  const std::string key = OptionOr(options_.client_key, "MILLRACE_CLIENT_KEY");
  if (certificate.empty() != key.empty()) {
    return UsageError("--client-cert and --client-key go together");
  }
  if (!IsSet(options_.tls, "MILLRACE_TLS") && ca.empty() && certificate.empty()) {
    return absl::OkStatus();
  }
  client::TlsOptions& tls = tls_.emplace();
  absl::Status status = ReadFile(ca, tls.ca);
  status.Update(ReadFile(certificate, tls.certificate));
  status.Update(ReadFile(key, tls.key));
  return status;
}

client::ConnectionOptions Session::connection_options() const {
  client::ConnectionOptions options;
  options.target = target();
  options.tls = tls_;
  options.token_file = OptionOr(options_.token_file, "MILLRACE_TOKEN_FILE");
  options.token_in_clear = IsSet(options_.token_in_clear, "MILLRACE_TOKEN_IN_CLEAR");
  options.request_timeout = options_.timeout;
  return options;
}

std::shared_ptr<client::Connection> Session::OpenConnection() const {
  return *client::Connection::Open(connection_options());  // ReadCredentials has judged them.
}

const std::shared_ptr<client::Connection>& Session::connection() {
  if (!connection_) connection_ = OpenConnection();
  return connection_;
}

client::Admin& Session::admin() {
  if (!admin_) admin_ = std::make_unique<client::Admin>(connection());
  return *admin_;
}

}  // namespace millrace::cli
