#include "server/grpc/server_stream.h"

#include "server/grpc/status.h"

namespace millrace::server {
namespace {

absl::Status ClientGone() { return absl::CancelledError("the client is gone"); }

}  // namespace

void ServerStream::OnWriteDone(bool ok) {
  std::optional<absl::Status> over;
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    over = over_;
  }
  if (!ok) return End(ClientGone());
  if (over) return End(*over);
  OnWritten();
}

void ServerStream::OnCancel() { EndSoon(ClientGone()); }

void ServerStream::OnDone() { self_.reset(); }

void ServerStream::Write(grpc::ByteBuffer& message) {
  outgoing_.Swap(&message);
  std::lock_guard lock(mutex_);
  if (finished_ || over_) return;
  writing_ = true;
  StartWrite(&outgoing_);
}

void ServerStream::EndSoon(const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (!over_) over_ = status;
    if (writing_) return;  // OnWriteDone ends the call.
  }
  End(status);
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
