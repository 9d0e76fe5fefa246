#include "tests/fault/kills/client_checker.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace millrace::kills {
namespace {

constexpr int kFindingsPerRule = 5;

std::string NameOf(const Partition& partition) {
  return partition.first + "/" + std::to_string(partition.second);
}
std::string NameOf(Value value) {
  return std::to_string(ProducerOf(value)) + "." + std::to_string(NumberOf(value));
}

// All that was ever seen of a partition, by anybody, by offset.
using Log = std::map<int64_t, Seen>;

class Judge {
 public:
  Judge(const History& history, const Expectations& expected)
      : history_(history), expected_(expected) {}

  std::vector<Finding> Run() {
    JudgeOffsets();
    JudgeAnswers();
    JudgeValues();
    JudgePolls();
    JudgeReaders();
    JudgeSendOrder();
    JudgeCommits();
    JudgeEpochs();
    JudgeCopy();
    return std::move(findings_);
  }

 private:
  void Add(Rule rule, std::string text) {
    if (++counts_[static_cast<size_t>(rule)] > kFindingsPerRule) return;
    findings_.push_back({rule, std::string(WordOf(rule)) + ": " + std::move(text)});
  }

  // Everybody agrees what is at an offset.
  void JudgeOffsets() {
    for (const Poll& poll : history_.polls) {
      Log& log = logs_[poll.partition];
      for (const Seen& seen : poll.records) {
        const auto [at, first] = log.try_emplace(seen.offset, seen);
        const std::string where = NameOf(poll.partition) + " " + std::to_string(seen.offset);
        if (at->second.value != seen.value) {
          Add(Rule::kInconsistentOffset,
              where + " is " + NameOf(at->second.value) + " and " + NameOf(seen.value));
        }
        if (at->second.log_epoch != seen.log_epoch) {
          Add(Rule::kEpochOrder, where + " was written under two log epochs");
        }
      }
    }
    for (const auto& [partition, log] : logs_) {
      for (const auto& [offset, seen] : log) {
        places_[partition.first][seen.value].emplace_back(partition, offset);
      }
    }
    for (const Poll& poll : history_.polls) {
      if (poll.reader != expected_.final_reader) continue;
      for (const Seen& seen : poll.records) final_[poll.partition].insert(seen.offset);
    }
  }

  // What was acknowledged is where the answer said, for the last reader too.
  void JudgeAnswers() {
    for (const Send& send : history_.sends) {
      const auto& places = places_[send.topic];
      const auto found = places.find(send.value);
      if (send.outcome == Outcome::kFailed && found != places.end()) {
        Add(Rule::kAbortedRead, NameOf(send.value) + " of " + send.topic);
      }
      if (send.outcome != Outcome::kAcknowledged) continue;
      if (send.offset < 0) {
        if (found == places.end()) Add(Rule::kUnseen, NameOf(send.value) + " of " + send.topic);
        continue;
      }
      const Partition partition(send.topic, send.partition);
      const std::string what = NameOf(send.value) + (send.synced ? " (synced)" : " (buffered)") +
                               " at " + NameOf(partition) + " " + std::to_string(send.offset);
      const std::set<int64_t>& read = final_[partition];
      if (!read.contains(send.offset)) {
        const bool later = !read.empty() && *read.rbegin() > send.offset;
        Add(later ? Rule::kLostWrite : Rule::kUnseen, what);
      } else if (const Value is = logs_[partition].at(send.offset).value; is != send.value) {
        Add(found == places.end() ? Rule::kLostWrite : Rule::kAckElsewhere,
            what + ", where " + NameOf(is) + " is");
      }
    }
  }

  void JudgeValues() {
    std::map<std::string, std::set<Value>> sent;
    for (const Send& send : history_.sends) sent[send.topic].insert(send.value);
    for (const auto& [topic, values] : places_) {
      for (const auto& [value, places] : values) {
        const std::string where = NameOf(value) + " at " + NameOf(places.front().first) + " " +
                                  std::to_string(places.front().second);
        if (!sent[topic].contains(value)) Add(Rule::kPhantom, where);
        if (places.size() > 1 && value != 0) {
          Add(Rule::kDuplicate,
              where + " and " + NameOf(places[1].first) + " " + std::to_string(places[1].second));
        }
      }
    }
  }

  // Each reader gets every record that anybody saw, in order, within a poll and from poll to poll.
  void JudgePolls() {
    std::map<std::pair<int, Partition>, int64_t> next;
    for (const Poll& poll : history_.polls) {
      const auto key = std::pair(poll.reader, poll.partition);
      if (poll.start) {
        next[key] = *poll.start;
        continue;
      }
      bool first = true;
      const auto [position, unplaced] = next.try_emplace(key, 0);
      for (const Seen& seen : poll.records) {
        JudgeStep(poll, seen.offset, position->second, first);
        position->second = seen.offset + 1;
        first = false;
      }
    }
  }

  void JudgeStep(const Poll& poll, int64_t offset, int64_t expected, bool first) {
    const std::string what = "reader " + std::to_string(poll.reader) + " of " +
                             NameOf(poll.partition) + " got " + std::to_string(offset) +
                             " in place of " + std::to_string(expected);
    if (offset < expected) {
      Add(first ? Rule::kExternalNonmonotonic : Rule::kInternalNonmonotonic, what);
      return;
    }
    const Log& log = logs_[poll.partition];
    if (log.lower_bound(expected)->first < offset) {
      Add(first ? Rule::kExternalSkip : Rule::kInternalSkip, what);
    }
  }

  void JudgeReaders() {
    std::map<std::pair<int, Partition>, int64_t> ends;
    for (const Poll& poll : history_.polls) {
      if (poll.records.empty()) continue;
      int64_t& end = ends[{poll.reader, poll.partition}];
      end = std::max(end, poll.records.back().offset + 1);
    }
    for (const int reader : expected_.complete_readers) {
      for (const auto& [partition, log] : logs_) {
        if (log.empty()) continue;
        const int64_t end = ends[{reader, partition}];
        if (end <= log.rbegin()->first) {
          Add(Rule::kUnseenByReader, "reader " + std::to_string(reader) + " of " +
                                         NameOf(partition) + " ended at " + std::to_string(end) +
                                         " before " + std::to_string(log.rbegin()->first));
        }
      }
    }
  }

  // Within a partition, the values of one producer come in the order of its Sends.
  void JudgeSendOrder() {
    for (const auto& [partition, log] : logs_) {
      if (partition.first == expected_.copied_to) continue;  // As its source is.
      std::map<int, Value> last;
      for (const auto& [offset, seen] : log) {
        Value& before = last[ProducerOf(seen.value)];
        if (seen.value < before) {
          Add(Rule::kNonmonotonicSend, NameOf(partition) + " " + std::to_string(offset) + " is " +
                                           NameOf(seen.value) + " after " + NameOf(before));
        }
        before = std::max(before, seen.value);
      }
    }
  }

  // What a group has committed is no less than what was answered before the hub was asked, and no
  // more than what was asked before it answered. A reader begins no further than the last commit,
  // or where it was; it may hear of an assignment after later commits, so nothing is the least
  // here.
  void JudgeCommits() {
    using GroupPartition = std::pair<std::string, Partition>;
    std::map<GroupPartition, std::vector<const Commit*>> commits;
    for (const Commit& commit : history_.commits) {
      commits[{commit.group, commit.partition}].push_back(&commit);
    }
    for (const CommitSeen& seen : history_.commits_seen) {
      int64_t least = 0;
      int64_t most = 0;
      for (const Commit* commit : commits[{seen.group, seen.partition}]) {
        if (commit->outcome == Outcome::kAcknowledged && commit->answered < seen.asked) {
          least = std::max(least, commit->next_offset);
        }
        if (commit->outcome != Outcome::kFailed && commit->asked < seen.answered) {
          most = std::max(most, commit->next_offset);
        }
      }
      const std::string what = seen.group + " on " + NameOf(seen.partition) + " is " +
                               std::to_string(seen.next_offset) + ", committed was ";
      if (seen.next_offset < least) Add(Rule::kCommitRegressed, what + std::to_string(least));
      if (seen.next_offset > most) Add(Rule::kCommitInvented, what + std::to_string(most));
    }
    JudgeStarts();
  }

  void JudgeStarts() {
    std::map<int, std::string> groups;
    std::map<Partition, std::map<std::string, int64_t>> most;
    for (const Commit& commit : history_.commits) {
      groups[commit.reader] = commit.group;
      int64_t& asked = most[commit.partition][commit.group];
      asked = std::max(asked, commit.next_offset);
    }
    std::map<std::pair<int, Partition>, int64_t> next;
    for (const Poll& poll : history_.polls) {
      int64_t& position = next[{poll.reader, poll.partition}];
      if (!poll.records.empty()) position = poll.records.back().offset + 1;
      if (!poll.start) continue;
      const int64_t asked = most[poll.partition][groups[poll.reader]];
      if (*poll.start > std::max(asked, position)) {
        Add(Rule::kCommitInvented, "reader " + std::to_string(poll.reader) + " of " +
                                       NameOf(poll.partition) + " begins at " +
                                       std::to_string(*poll.start) + ", nobody committed beyond " +
                                       std::to_string(asked));
      }
      position = *poll.start;
    }
  }

  // A kill raises the log epoch; what was answered before it has an older one.
  void JudgeEpochs() {
    for (size_t i = 1; i < history_.lives.size(); ++i) {
      const Life& life = history_.lives[i];
      const int64_t before = history_.lives[i - 1].log_epoch;
      if (life.log_epoch < before || (life.after_kill && life.log_epoch == before)) {
        Add(Rule::kEpochNotRaised,
            std::to_string(before) + " and then " + std::to_string(life.log_epoch));
      }
    }
    for (const auto& [partition, log] : logs_) {
      int64_t before = 0;
      for (const auto& [offset, seen] : log) {
        if (seen.log_epoch < before ||
            (!history_.lives.empty() && seen.log_epoch > history_.lives.back().log_epoch)) {
          Add(Rule::kEpochOrder, NameOf(partition) + " " + std::to_string(offset) +
                                     " was written under " + std::to_string(seen.log_epoch) +
                                     " after " + std::to_string(before));
        }
        before = std::max(before, seen.log_epoch);
      }
    }
    JudgeEpochsOfAnswers();
  }

  void JudgeEpochsOfAnswers() {
    for (const Send& send : history_.sends) {
      if (send.outcome != Outcome::kAcknowledged || send.offset < 0) continue;
      const auto life = std::upper_bound(
          history_.lives.begin(), history_.lives.end(), send.answered,
          [](int64_t answered, const Life& later) { return answered < later.step; });
      const Log& log = logs_[{send.topic, send.partition}];
      const auto seen = log.find(send.offset);
      if (life == history_.lives.end() || !life->after_kill || seen == log.end()) continue;
      if (seen->second.log_epoch >= life->log_epoch) {
        Add(Rule::kEpochOrder, NameOf(send.value) + " was answered before the life of epoch " +
                                   std::to_string(life->log_epoch) + " and is of epoch " +
                                   std::to_string(seen->second.log_epoch));
      }
    }
  }

  void JudgeCopy() {
    if (expected_.copied_to.empty()) return;
    for (const auto& [partition, log] : logs_) {
      if (partition.first != expected_.copied_from) continue;
      const Log& copy = logs_[{expected_.copied_to, partition.second}];
      const auto different = std::mismatch(log.begin(), log.end(), copy.begin(), copy.end(),
                                           [](const auto& one, const auto& other) {
                                             return one.second.value == other.second.value;
                                           });
      if (different.first == log.end() && different.second == copy.end()) continue;
      Add(Rule::kCopyDiffers, NameOf(partition) + " of " + std::to_string(log.size()) +
                                  " records, copy of " + std::to_string(copy.size()));
    }
  }

  const History& history_;
  const Expectations& expected_;
  std::map<Partition, Log> logs_;
  std::map<Partition, std::set<int64_t>> final_;
  std::map<std::string, std::unordered_map<Value, std::vector<std::pair<Partition, int64_t>>>>
      places_;
  std::vector<Finding> findings_;
  std::array<int, 64> counts_ = {};
};

}  // namespace

std::string_view WordOf(Rule rule) {
  static constexpr std::array kWords = {
#define MILLRACE_KILL_WORD(enumerator, word) std::string_view(word),
      MILLRACE_KILL_VIOLATIONS(MILLRACE_KILL_WORD)
#undef MILLRACE_KILL_WORD
  };
  return kWords.at(static_cast<size_t>(rule));
}

std::vector<Finding> Check(const History& history, const Expectations& expected) {
  return Judge(history, expected).Run();
}

}  // namespace millrace::kills
