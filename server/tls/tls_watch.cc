#include "server/tls/tls_watch.h"

#include <pthread.h>

#include <utility>

#include "absl/time/clock.h"

namespace millrace::server {

TlsWatch::TlsWatch(TlsFiles files, TlsMaterial material, absl::Duration interval, Handlers handlers)
    : files_(std::move(files)),
      interval_(interval),
      handlers_(std::move(handlers)),
      material_(std::move(material)),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "tls-files");
}

TlsWatch::~TlsWatch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TlsWatch::Run() {
  std::unique_lock lock(mutex_);
  while (
      !wake_.wait_for(lock, absl::ToChronoNanoseconds(interval_), [this] { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

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
