// A hub::Subscription as a connection pulls it: opened on a worker, then one frame after another,
// each read from the log and handed over on the connection's thread.
#pragma once

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/contract/reading.h"
#include "server/hub/hub.h"
#include "server/web/loop.h"

namespace millrace::server {

// Threads: the loop's. A late answer of the hub keeps it alive, and is passed over.
class SubscriptionPull : public std::enable_shared_from_this<SubscriptionPull> {
 public:
  // Says what to subscribe to. Runs on a worker and may block.
  using CommandSource = absl::AnyInvocable<absl::StatusOr<hub::SubscribeCommand>() &&>;

  // Called on the loop's thread.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual void OnOpened(const absl::Status& status) = 0;
    virtual void OnFrame(const hub::Frame& frame) = 0;
  };

  // `hub`, `served` and `loop` outlive this object; `reader` lives until Stop.
  SubscriptionPull(hub::Hub& hub, const ServedMethod& served, Caller caller, Loop& loop,
                   Presence presence, Reader& reader)
      : hub_(hub),
        served_(served),
        caller_(std::move(caller)),
        loop_(loop),
        presence_(std::move(presence)),
        reader_(&reader) {}

  // Calls OnOpened once, later.
  void Open(CommandSource source);

  // Calls OnFrame once, inside the call or later. After OnOpened with OK, and not again before the
  // frame was written. After Stop it does nothing.
  void Next();

  // After OnOpened with OK.
  hub::Subscription& subscription() { return *reading_.subscription; }

  // Closes the subscription; the reader is not called any more. Idempotent.
  void Stop();

 private:
  absl::StatusOr<Reading> OpenNow(CommandSource source);
  void Opened(absl::StatusOr<Reading> opened);

  hub::Hub& hub_;
  const ServedMethod& served_;
  const Caller caller_;
  Loop& loop_;
  const Presence presence_;
  Reader* reader_;  // Null: stopped.
  Reading reading_;
};

}  // namespace millrace::server
