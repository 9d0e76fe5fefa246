// Notices work that does not go on: something waits for a thread, or is under way on it, and for
// long nothing is finished. It looks once a second from a thread of its own, so that it depends on
// none of those it watches.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/hub/hub_observer.h"
#include "storage/engine_stats.h"
#include "storage/periodic_task.h"

namespace millrace::hub {

// How a worker gets on.
struct Progress {
  std::string worker;
  absl::Duration stuck_for;  // Since something waits and nothing was finished; 0 while it gets on.
  int64_t stalls = 0;        // How often that has taken longer than the patience.
};

// The judgement, without a thread or a clock. For one thread at a time.
class StallJudge {
 public:
  StallJudge(absl::Duration patience, HubObserver& observer)
      : patience_(patience), observer_(observer) {}

  // Takes in how things stand at `now`, and tells the observer of stalls that begin or end.
  void Look(absl::Duration now, const std::vector<storage::WorkStatus>& work);

  // As of the last look, in the order in which the workers were given.
  std::vector<Progress> progress() const;

 private:
  struct Known {
    Progress progress;
    uint64_t done = 0;
    absl::Duration since;  // When it last got on.
    bool stalled = false;
  };

  const absl::Duration patience_;
  HubObserver& observer_;
  std::vector<Known> workers_;
};

// Threads: any.
class StallWatch {
 public:
  using Source = std::function<std::vector<storage::WorkStatus>()>;

  // `observer`, and what `source` uses, outlive this object.
  StallWatch(absl::Duration interval, absl::Duration patience, HubObserver& observer,
             Source source);

  // As of now.
  std::vector<Progress> Look();

 private:
  const Source source_;
  std::mutex mutex_;
  StallJudge judge_;  // Guarded by mutex_.
  storage::PeriodicTask looking_;
};

}  // namespace millrace::hub
