#include "server/grpc/server_stream.h"

#include "server/grpc/status.h"

namespace millrace::server {
namespace {

absl::Status ClientGone() { return absl::CancelledError("the client is gone"); }

}  // namespace

void ServerStream::OnWriteDone(bool ok) {
  bool cancelled;
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    cancelled = cancelled_;
  }
  if (!ok || cancelled) return End(ClientGone());
  OnWritten();
}

void ServerStream::OnCancel() {
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (writing_) return;  // OnWriteDone ends the call.
  }
  End(ClientGone());
}

void ServerStream::OnDone() { self_.reset(); }

void ServerStream::Write(grpc::ByteBuffer& message) {
  outgoing_.Swap(&message);
  std::lock_guard lock(mutex_);
  if (finished_ || cancelled_) return;
  writing_ = true;
  StartWrite(&outgoing_);
}

void ServerStream::End(const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
  }
  OnEnd();
  served_.NoteEnd(status);
  Finish(ToGrpcStatus(status));
}

}  // namespace millrace::server
