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
  const std::string ca = OptionOr(options_.tls_ca, "MILLRACE_TLS_CA");
  const std::string certificate = OptionOr(options_.client_cert, "MILLRACE_CLIENT_CERT");
  const std::string key = OptionOr(options_.client_key, "MILLRACE_CLIENT_KEY");
  if (certificate.empty() != key.empty()) {
    return UsageError("--client-cert and --client-key go together");
  }
  const std::string token_file = OptionOr(options_.token_file, "MILLRACE_TOKEN_FILE");
  std::string token;
  if (absl::Status status = ReadFile(token_file, token); !status.ok()) return status;
  const bool wanted = options_.tls || OptionOr("", "MILLRACE_TLS") == "1";
  if (!wanted && ca.empty() && certificate.empty()) return absl::OkStatus();
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
  options.request_timeout = options_.timeout;
  return options;
}

const std::shared_ptr<client::Connection>& Session::connection() {
  if (!connection_) connection_ = client::Connection::Open(connection_options());
  return connection_;
}

client::Admin& Session::admin() {
  if (!admin_) admin_ = std::make_unique<client::Admin>(connection());
  return *admin_;
}

}  // namespace millrace::cli
