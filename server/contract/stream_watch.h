// Open streams are looked at again: when the access rules change, when what the caller showed has
// expired, and when the stream has reached the age at which it is to be opened anew.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace millrace::server {

enum class StreamEnd {
  kRefused,  // The caller may no longer do this.
  kExpired,  // What the caller showed has; it may come back with something newer.
  kMaxAge,   // The caller may come back at once, and may meet another hub.
};

// The error with which such a call ends: PERMISSION_DENIED, for which the caller may no longer
// `act`
// ("produce"); else DRAINING, and it may come back at once.
absl::Status StatusOf(StreamEnd end, std::string_view act);

// What is watched of one stream. The functions must hold on to what they need, and only weakly to
// the stream.
struct WatchedStream {
  absl::Time expires = absl::InfiniteFuture();  // What the caller showed.
  // Whether the caller may go on, under the rules of that moment. May be empty.
  std::function<bool()> may_go_on;
  // Ends the stream. Called at most once, from the watch's thread or inside of Watch; must not
  // block.
  std::function<void(StreamEnd)> end;
};

// Threads: any.
class StreamWatch {
 public:
  // `max_age`: of a stream, give or take a tenth by chance, so that streams that were opened
  // together do not end together. Absent: streams may get as old as they like.
  explicit StreamWatch(std::optional<absl::Duration> max_age);
  ~StreamWatch();  // Ends the thread.

  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

  // Watches until what this returns is gone, which may be after the watch itself; an `end` under
  // way may still be called meanwhile. Null: there is nothing to watch of this stream.
  [[nodiscard]] std::shared_ptr<const void> Watch(WatchedStream stream);

  // The rules have changed. Does not wait.
  void LookAgain();

 private:
  struct Entry;
  // By when age or expiry end them.
  using Entries = std::multimap<absl::Time, std::weak_ptr<Entry>>;

  // Held by whoever has a place in it, too.
  struct Open {
    std::mutex mutex;
    Entries entries;  // Guarded by it.
  };

  void Run();
  void EndIfRefusedMeanwhile(Entry& entry);
  void EndThoseDue();
  void EndThoseRefused();
  std::vector<std::shared_ptr<Entry>> TakeUntil(absl::Time time);

  const std::optional<absl::Duration> max_age_;

  const std::shared_ptr<Open> open_ = std::make_shared<Open>();
  std::condition_variable wake_;
  // Guarded by open_->mutex.
  absl::BitGen random_;
  bool look_again_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace millrace::server
