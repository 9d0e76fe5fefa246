#include "server/tls/tls_watch.h"

#include <utility>

#include "absl/time/clock.h"

namespace millrace::server {

TlsWatch::TlsWatch(TlsFiles files, TlsMaterial material, absl::Duration interval, Handlers handlers)
    : files_(std::move(files)),
      handlers_(std::move(handlers)),
      material_(std::move(material)),
      looking_("tls-files", interval, [this] { Look(); }) {}

void TlsWatch::Look() {
  auto found = LoadTls(files_, absl::Now());
  if (!found.ok()) {
    if (found.status() != told_) handlers_.refused(found.status());
    told_ = found.status();
    return;
  }
  told_ = absl::OkStatus();
  if (*found == material_) return;
  material_ = *std::move(found);
  handlers_.changed(material_);
}

}  // namespace millrace::server
