#include "server/hub/stall_watch.h"

#include <algorithm>
#include <utility>

#include "server/hub/timer_queue.h"

namespace millrace::hub {

void StallJudge::Look(absl::Duration now, const std::vector<storage::WorkStatus>& work) {
  for (const storage::WorkStatus& each : work) {
    auto known = std::find_if(workers_.begin(), workers_.end(), [&](const Known& other) {
      return other.progress.worker == each.worker;
    });
    if (known == workers_.end()) {
      workers_.push_back({.progress = {.worker = each.worker}, .done = each.done, .since = now});
      known = std::prev(workers_.end());
    }
    if (each.waiting == 0 || each.done != known->done) {
      if (std::exchange(known->stalled, false)) {
        observer_.OnStallOver(each.worker, now - known->since);
      }
      known->done = each.done;
      known->since = now;
    } else if (now - known->since >= patience_ && !std::exchange(known->stalled, true)) {
      ++known->progress.stalls;
      observer_.OnStalled(each.worker, now - known->since);
    }
    known->progress.stuck_for = now - known->since;
  }
}

std::vector<Progress> StallJudge::progress() const {
  std::vector<Progress> all;
  for (const Known& known : workers_) all.push_back(known.progress);
  return all;
}

StallWatch::StallWatch(absl::Duration interval, absl::Duration patience, HubObserver& observer,
                       Source source)
    : source_(std::move(source)),
      judge_(patience, observer),
      looking_("stall-watch", interval, [this] { Look(); }) {}

std::vector<Progress> StallWatch::Look() {
  const std::vector<storage::WorkStatus> work = source_();
  std::lock_guard lock(mutex_);
  judge_.Look(MonotonicNow(), work);
  return judge_.progress();
}

}  // namespace millrace::hub
