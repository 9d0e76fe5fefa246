#include "tests/fault/kills/history.h"

#include <charconv>

namespace millrace::kills {
namespace {

constexpr const char* WordOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAcknowledged:
      return "acknowledged";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kUnknown:
      break;
  }
  return "unknown";
}

// Mostly small, now and then a few kilobytes, so that values lie inline and in blobs.
size_t PaddingOf(Value value) {
  const uint64_t mixed = value * 0x9e3779b97f4a7c15 >> 32;
  return mixed % 64 == 0 ? 4'000 + mixed % 20'000 : mixed % 200;
}

}  // namespace

std::string BytesOf(Value value) {
  std::string bytes = std::to_string(value) + ":";
  bytes.append(PaddingOf(value), static_cast<char>('a' + value % 26));
  return bytes;
}

Value ParseBytes(const std::string& bytes) {
  Value value = 0;
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  return value != 0 && bytes == BytesOf(value) ? value : 0;
}

int64_t History::Step() {
  const std::lock_guard lock(mutex_);
  return ++step_;
}

size_t History::Ask(Send send) {
  const std::lock_guard lock(mutex_);
  sends.push_back(std::move(send));
  return sends.size() - 1;
}

void History::Answer(size_t send, Outcome outcome, int32_t partition, int64_t offset) {
  const std::lock_guard lock(mutex_);
  Send& answered = sends[send];
  answered.outcome = outcome;
  answered.partition = partition;
  answered.offset = offset;
  answered.answered = ++step_;
}

void History::Add(Poll poll) {
  const std::lock_guard lock(mutex_);
  polls.push_back(std::move(poll));
}

size_t History::Ask(Commit commit) {
  const std::lock_guard lock(mutex_);
  commit.asked = ++step_;
  commits.push_back(std::move(commit));
  return commits.size() - 1;
}

void History::Answer(size_t commit, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  commits[commit].outcome = outcome;
  commits[commit].answered = ++step_;
}

void History::Add(CommitSeen seen) {
  const std::lock_guard lock(mutex_);
  commits_seen.push_back(std::move(seen));
}

void History::Add(Life life) {
  const std::lock_guard lock(mutex_);
  lives.push_back(life);
}

void History::WriteTo(std::ostream& out) const {
  const std::lock_guard lock(mutex_);
  for (const Life& life : lives) {
    out << "life step " << life.step << " log_epoch " << life.log_epoch
        << (life.after_kill ? " after a kill\n" : " after a clean stop\n");
  }
  for (const Send& send : sends) {
    out << "send " << ProducerOf(send.value) << '.' << NumberOf(send.value) << ' ' << send.topic
        << '/' << send.partition << ' ' << WordOf(send.outcome) << " offset " << send.offset
        << (send.synced ? " synced" : " buffered") << " answered " << send.answered << '\n';
  }
  for (const Poll& poll : polls) {
    out << "poll reader " << poll.reader << ' ' << poll.partition.first << '/'
        << poll.partition.second;
    if (poll.start) out << " begins at " << *poll.start;
    for (const Seen& seen : poll.records) {
      out << ' ' << seen.offset << '=' << ProducerOf(seen.value) << '.' << NumberOf(seen.value)
          << '@' << seen.log_epoch;
    }
    out << '\n';
  }
  for (const Commit& commit : commits) {
    out << "commit reader " << commit.reader << ' ' << commit.group << ' ' << commit.partition.first
        << '/' << commit.partition.second << " to " << commit.next_offset << ' '
        << WordOf(commit.outcome) << " asked " << commit.asked << " answered " << commit.answered
        << '\n';
  }
  for (const CommitSeen& seen : commits_seen) {
    out << "committed " << seen.group << ' ' << seen.partition.first << '/' << seen.partition.second
        << " is " << seen.next_offset << " asked " << seen.asked << " answered " << seen.answered
        << '\n';
  }
}

}  // namespace millrace::kills
