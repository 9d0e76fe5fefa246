#include "client/cli/session.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "client/cli/output/terminal.h"

namespace millrace::cli {

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

const std::shared_ptr<client::Connection>& Session::connection() {
  if (!connection_) {
    client::ConnectionOptions options;
    options.target = target();
    options.request_timeout = options_.timeout;
    connection_ = client::Connection::Open(std::move(options));
  }
  return connection_;
}

client::Admin& Session::admin() {
  if (!admin_) admin_ = std::make_unique<client::Admin>(connection());
  return *admin_;
}

}  // namespace millrace::cli
