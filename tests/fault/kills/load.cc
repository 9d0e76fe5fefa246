#include "tests/fault/kills/load.h"

#include <chrono>
#include <set>
#include <utility>

namespace millrace::kills {
namespace {

constexpr std::chrono::seconds kPatience(60);
constexpr int64_t kMostPending = 100;  // Sends of one sender without an answer.

}  // namespace

std::shared_ptr<client::Connection> Connect(const std::string& target) {
  return *client::Connection::Open(
      {.target = target,
       .backoff = {.initial = absl::Milliseconds(10), .max = absl::Milliseconds(100)}});
}

void Progress::Take(History& history, int reader,
                    const std::vector<client::ReceivedRecord>& records) {
  std::map<Partition, Poll> polls;
  for (const client::ReceivedRecord& record : records) {
    const Partition partition(record.topic, record.partition);
    Poll& poll = polls[partition];
    poll.reader = reader;
    poll.partition = partition;
    poll.records.push_back({.offset = record.offset,
                            .value = ParseBytes(record.value.value_or("")),
                            .log_epoch = record.log_epoch});
  }
  const std::lock_guard lock(mutex_);
  for (auto& [partition, poll] : polls) {
    next_[partition] = poll.records.back().offset + 1;
    history.Add(std::move(poll));
  }
}

void Progress::Begin(History& history, int reader, const client::TopicPartition& partition,
                     int64_t start) {
  history.Add(
      Poll{.reader = reader, .partition = {partition.topic, partition.partition}, .start = start});
}

std::map<Partition, int64_t> Progress::next() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

Load::Load(History& history, std::string target, uint64_t seed)
    : history_(history), target_(std::move(target)) {
  for (int reader = 6; reader <= 9; ++reader) progress_[reader] = std::make_unique<Progress>();
  const auto run = [&](auto work) { threads_.emplace_back(std::move(work)); };
  for (int i = 1; i <= kSenders; ++i) {
    run([this, i, seed](std::stop_token stop) { Send(stop, i, seed * 100 + i); });
  }
  run([this, seed](std::stop_token stop) { Read(stop, 6, seed * 100 + 6, false); });
  run([this, seed](std::stop_token stop) { Read(stop, 7, seed * 100 + 7, true); });
  run([this, seed](std::stop_token stop) { Join(stop, 8, seed * 100 + 8); });
  run([this, seed](std::stop_token stop) { Join(stop, 9, seed * 100 + 9); });
  run([this](std::stop_token stop) { Copy(stop, 11); });
}

Load::~Load() { Stop(); }

void Load::Allow(int64_t sends) {
  const std::lock_guard lock(mutex_);
  allowed_ += sends;
  changed_.notify_all();
}

int64_t Load::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

bool Load::AwaitAnswered(int64_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return answered_ >= count; });
}

bool Load::FinishSending() {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, kPatience, [&] { return senders_left_ == 0; });
}

std::vector<std::pair<int, std::map<Partition, int64_t>>> Load::positions() const {
  std::vector<std::pair<int, std::map<Partition, int64_t>>> positions;
  for (const auto& [reader, progress] : progress_) positions.emplace_back(reader, progress->next());
  return positions;
}

void Load::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  changed_.notify_all();
  threads_.clear();
}

std::vector<std::string> Load::complaints() const {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

bool Load::AwaitTurn(std::stop_token stop, int64_t sent, const std::atomic<int64_t>& pending) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop,
                [&] { return finishing_ || (sent < allowed_ && pending < kMostPending); });
  return !finishing_ && !stop.stop_requested();
}

void Load::Answered() {
  const std::lock_guard lock(mutex_);
  ++answered_;
  changed_.notify_all();
}

void Load::Complain(std::string text) {
  const std::lock_guard lock(mutex_);
  complaints_.push_back(std::move(text));
}

}  // namespace millrace::kills
