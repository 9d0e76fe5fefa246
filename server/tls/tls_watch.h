// Notices that the files of a TLS listener have been replaced.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "server/tls/tls_files.h"

namespace millrace::server {

// Looks at the files again and again, in a thread of its own. Threads: any.
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
  ~TlsWatch();  // Ends the thread.

 private:
  void Run();
  void Look();

  const TlsFiles files_;
  const absl::Duration interval_;
  const Handlers handlers_;

  // Of the thread.
  TlsMaterial material_;
  absl::Status told_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace millrace::server
