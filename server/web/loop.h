// The thread that a connection lives on, as the parts of a connection see it that know no sockets.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "server/hub/executor.h"

namespace millrace::server {

// Everything of one connection happens on one thread, one thing after another, so that nothing in
// it needs a lock. The hub's answers come from other threads and are posted.
class Loop : public hub::TaskRunner {
 public:
  // Any thread: runs the task on the loop's, soon and never inside of the call.
  void Post(absl::AnyInvocable<void() &&> task) override = 0;

  // The loop's thread: the same after a delay. What is not due when the loop ends never runs.
  virtual void After(absl::Duration delay, absl::AnyInvocable<void() &&> task) = 0;
};

// Held by whatever may still post to a loop; the loop goes when nobody is there any more.
using Presence = std::shared_ptr<const void>;

}  // namespace millrace::server
