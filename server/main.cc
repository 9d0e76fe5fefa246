#include "absl/synchronization/mutex.h"
#include "server/app/app.h"

int main(int argc, char** argv) {
  // gRPC's mutexes are Abseil's. Debian builds it so that it looks for deadlocks at every lock, at
  // 4 % of the time under single records.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return millrace::server::RunServer(argc, argv);
}
