// The life of a server stream: one write at a time, one end, and a reactor that owns itself.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "server/contract/call_watch.h"

namespace millrace::server {

// Start -> Write -> OnWritten -> Write ... until End or the client's cancel, after which OnEnd is
// called once. Held by a shared_ptr: by itself from Start until the call is done, and by whatever
// is under way for it, so that a late answer finds it alive. Threads: any, but one at a time
// writes.
class ServerStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                     public std::enable_shared_from_this<ServerStream> {
 public:
  void OnWriteDone(bool ok) final;
  void OnCancel() final;
  void OnDone() override;

 protected:
  // `served` outlives the stream.
  explicit ServerStream(ServedMethod& served) : served_(served) {}

  // First of all.
  void KeepAlive() { self_ = shared_from_this(); }

  // Takes the bytes of the message. OnWritten follows, or OnEnd. Not while a write is under way.
  void Write(grpc::ByteBuffer& message);

  // Ends the call; the first end wins. Not while a write is under way.
  void End(const absl::Status& status);

  // Ends it at any time: after the write under way, if there is one.
  void EndSoon(const absl::Status& status);

  // Calls `action` unless the call has ended, and no end comes in between. Says whether it did.
  template <typename Action>
  bool UnlessEnded(Action action) {
    std::lock_guard lock(mutex_);
    if (!finished_) std::move(action)();
    return !finished_;
  }

 private:
  virtual void OnWritten() = 0;
  virtual void OnEnd() {}

  ServedMethod& served_;
  std::shared_ptr<ServerStream> self_;  // Until OnDone.

  std::mutex mutex_;
  bool writing_ = false;
  std::optional<absl::Status> over_;  // To be ended so.
  bool finished_ = false;

  grpc::ByteBuffer outgoing_;
};

}  // namespace millrace::server
