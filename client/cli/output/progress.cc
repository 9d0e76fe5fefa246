#include "client/cli/output/progress.h"

#include <unistd.h>

#include <cstdio>

#include "absl/time/clock.h"
#include "client/cli/output/terminal.h"

namespace millrace::cli {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(200);
constexpr char kClearLine[] = "\r\x1b[K";

}  // namespace

Progress::Progress(bool enabled)
    : enabled_(enabled && IsTerminal(STDERR_FILENO)), last_(absl::Now()) {}

Progress::~Progress() { Clear(); }

void Progress::Update(const std::function<std::string()>& text) {
  if (!enabled_) return;
  const absl::Time now = absl::Now();
  if (now - last_ < kInterval) return;
  last_ = now;
  shown_ = true;
  const std::string line = kClearLine + text();
  std::fputs(line.c_str(), stderr);
}

void Progress::Clear() {
  if (!shown_) return;
  shown_ = false;
  std::fputs(kClearLine, stderr);
}

}  // namespace millrace::cli
