// Notices that the files of a TLS listener have been replaced.
#pragma once

#include <functional>

#include "absl/time/time.h"
#include "server/tls/tls_files.h"
#include "storage/periodic_task.h"

namespace millrace::server {

// Looks at the files every `interval`, in a thread of its own. Threads: any. No handler is called
// after its end.
class TlsWatch {
 public:
  struct Handlers {
    // There is something else in the files, and it is good.
    std::function<void(const TlsMaterial&)> changed;
    // They cannot be used as they are now; the hub goes on with what it has. Once for each reason.
    std::function<void(const absl::Status&)> refused;
  };

  // `material` is what is in use. The handlers are called from the thread.
  TlsWatch(TlsFiles files, TlsMaterial material, absl::Duration interval, Handlers handlers);

 private:
  void Look();

  const TlsFiles files_;
  const Handlers handlers_;

  // Of the thread.
  TlsMaterial material_;
  absl::Status told_;

  storage::PeriodicTask looking_;
};

}  // namespace millrace::server
