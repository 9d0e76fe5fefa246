// What every command is given: the global options, a hub to speak to, and somewhere to write.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/output/output.h"
#include "millrace/admin.h"
#include "millrace/connection.h"

namespace millrace::cli {

enum class OutputFormat { kText, kJson };

// Options that every command takes, before and after its name.
struct GlobalOptions {
  std::string target;  // Empty: MILLRACE_TARGET, or else localhost:9640.
  OutputFormat format = OutputFormat::kText;
  absl::Duration timeout = absl::Seconds(10);  // For one answer of the hub.

  // Names of files with PEM text. Empty: the variable of the environment, or else none.
  bool tls = false;         // Or MILLRACE_TLS=1. Also where one of the files is named.
  std::string tls_ca;       // MILLRACE_TLS_CA
  std::string client_cert;  // MILLRACE_CLIENT_CERT
  std::string client_key;   // MILLRACE_CLIENT_KEY
  std::string token_file;   // MILLRACE_TOKEN_FILE. Read again for every call.

  bool token_in_clear = false;  // Or MILLRACE_TOKEN_IN_CLEAR=1.
};

// One run of the program. One thread at a time.
class Session {
 public:
  // Writes data to standard output; messages go to standard error.
  Session();

  GlobalOptions& options() { return options_; }
  bool json() const { return options_.format == OutputFormat::kJson; }
  std::string target() const;

  Output& out() { return out_; }
  bool colour() const { return colour_; }  // Of standard output.

  // A line to standard error for a person, after "millrace: ".
  void Tell(std::string_view message) const;

  // Reads the files that the options name. A usage error where that cannot be done, and where a
  // token would be exposed. To be called once, before any connection.
  absl::Status ReadCredentials();

  // A connection of its own.
  std::shared_ptr<client::Connection> OpenConnection() const;

  // The connection, opened when first asked for.
  const std::shared_ptr<client::Connection>& connection();
  client::Admin& admin();

 private:
  absl::Status ReadTls();
  client::ConnectionOptions connection_options() const;

  GlobalOptions options_;
  std::optional<client::TlsOptions> tls_;
  Output out_;
  const bool colour_;
  std::shared_ptr<client::Connection> connection_;
  std::unique_ptr<client::Admin> admin_;
};

}  // namespace millrace::cli
