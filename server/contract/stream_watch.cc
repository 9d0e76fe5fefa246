#include "server/contract/stream_watch.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

constexpr double kJitter = 0.1;
// The longest sleep: the clock may be set meanwhile.
constexpr absl::Duration kLongestSleep = absl::Seconds(5);

}  // namespace

absl::Status StatusOf(StreamEnd end, std::string_view act) {
  if (end == StreamEnd::kRefused) {
    return storage::Error(storage::Reason::kPermissionDenied,
                          "the caller may no longer " + std::string(act));
  }
  const char* why = end == StreamEnd::kExpired
                        ? "what the caller showed has expired: open another stream"
                        : "this stream has reached its maximum age: open another";
  return storage::Error(storage::Reason::kDraining, why, {{"retry_after_ms", "0"}});
}

struct StreamWatch::Entry {
  WatchedStream stream;
  absl::Time max_age_at = absl::InfiniteFuture();
  Entries::iterator place;
  bool listed = false;  // `place` is valid. Guarded by the watch's mutex.

  absl::Time due() const { return std::min(stream.expires, max_age_at); }
};

StreamWatch::StreamWatch(std::optional<absl::Duration> max_age)
    : max_age_(max_age), thread_([this] { Run(); }) {}

StreamWatch::~StreamWatch() {
  {
    std::lock_guard lock(open_->mutex);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<const void> StreamWatch::Watch(WatchedStream stream) {
  const auto leave = [open = open_](Entry* gone) {
    {
      std::lock_guard lock(open->mutex);
      if (gone->listed) open->entries.erase(gone->place);
    }
    delete gone;
  };
  const std::shared_ptr<Entry> entry(new Entry{.stream = std::move(stream)}, leave);
  {
    std::lock_guard lock(open_->mutex);
    if (max_age_) {
      const double share = absl::Uniform(random_, 1 - kJitter, 1 + kJitter);
      entry->max_age_at = absl::Now() + *max_age_ * share;
    }
    entry->place = open_->entries.emplace(entry->due(), entry);
    entry->listed = true;
  }
  wake_.notify_one();
  EndIfRefusedMeanwhile(*entry);
  return entry;
}

// The rules may have changed after the stream was let in and before it was watched.
void StreamWatch::EndIfRefusedMeanwhile(Entry& entry) {
  if (!entry.stream.may_go_on || entry.stream.may_go_on()) return;
  {
    std::lock_guard lock(open_->mutex);
    if (!std::exchange(entry.listed, false)) return;  // The thread ends it.
    open_->entries.erase(entry.place);
  }
  entry.stream.end(StreamEnd::kRefused);
}

void StreamWatch::LookAgain() {
  {
    std::lock_guard lock(open_->mutex);
    look_again_ = true;
  }
  wake_.notify_one();
}

void StreamWatch::Run() {
  std::unique_lock lock(open_->mutex);
  while (!stopping_) {
    const bool look_again = std::exchange(look_again_, false);
    lock.unlock();
    EndThoseDue();
    if (look_again) EndThoseRefused();
    lock.lock();
    if (stopping_ || look_again_) continue;
    const absl::Duration sleep =
        open_->entries.empty()
            ? kLongestSleep
            : std::min(open_->entries.begin()->first - absl::Now(), kLongestSleep);
    if (sleep > absl::ZeroDuration()) wake_.wait_for(lock, absl::ToChronoNanoseconds(sleep));
  }
}

std::vector<std::shared_ptr<StreamWatch::Entry>> StreamWatch::TakeUntil(absl::Time time) {
  std::vector<std::shared_ptr<Entry>> taken;
  std::lock_guard lock(open_->mutex);
  for (auto it = open_->entries.begin(); it != open_->entries.end() && it->first <= time;) {
    auto entry = it->second.lock();
    if (entry == nullptr) {  // It is going, and takes its place out itself.
      ++it;
      continue;
    }
    entry->listed = false;
    taken.push_back(std::move(entry));
    it = open_->entries.erase(it);
  }
  return taken;
}

void StreamWatch::EndThoseDue() {
  const absl::Time now = absl::Now();
  for (const auto& entry : TakeUntil(now)) {
    entry->stream.end(entry->stream.expires <= now ? StreamEnd::kExpired : StreamEnd::kMaxAge);
  }
}

void StreamWatch::EndThoseRefused() {
  for (const auto& entry : TakeUntil(absl::InfiniteFuture())) {
    if (entry->stream.may_go_on && !entry->stream.may_go_on()) {
      entry->stream.end(StreamEnd::kRefused);
      continue;
    }
    std::lock_guard lock(open_->mutex);
    entry->place = open_->entries.emplace(entry->due(), entry);
    entry->listed = true;
  }
}

}  // namespace millrace::server
