#include <csignal>

#include "client/cli/app.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return millrace::cli::RunCommandLine(argc, argv);
}
