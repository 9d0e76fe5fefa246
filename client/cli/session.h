// What every command is given: the global options, a hub to speak to, and somewhere to write.
#pragma once

#include <memory>
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

  // The connection, opened when first asked for.
  const std::shared_ptr<client::Connection>& connection();
  client::Admin& admin();

 private:
  GlobalOptions options_;
  Output out_;
  const bool colour_;
  std::shared_ptr<client::Connection> connection_;
  std::unique_ptr<client::Admin> admin_;
};

}  // namespace millrace::cli
