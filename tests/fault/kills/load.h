// Clients of a hub that work on it while it is killed, and write down all they see.
//
// Senders 1 to 5 fill the topics "in" (by key, SYNCED) and "mixed" (SYNCED and BUFFERED); a copier
// copies "in" to "out" with transactions; two readers read everything, of which one is closed and
// opened again where it was; two members of a group share "in" and "mixed".
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "millrace/connection.h"
#include "millrace/consumer.h"
#include "tests/fault/kills/history.h"

namespace millrace::kills {

inline constexpr int kInPartitions = 4;  // Of "out", too.
inline constexpr int kMixedPartitions = 3;
inline constexpr int kSenders = 5;
inline constexpr int kFinalReader = 10;

std::shared_ptr<client::Connection> Connect(const std::string& target);

// Where a reader is in each partition. Safe from any thread.
class Progress {
 public:
  void Take(History& history, int reader, const std::vector<client::ReceivedRecord>& records);
  void Begin(History& history, int reader, const client::TopicPartition& partition, int64_t start);
  std::map<Partition, int64_t> next() const;

 private:
  mutable std::mutex mutex_;
  std::map<Partition, int64_t> next_;
};

// Its methods: one thread.
class Load {
 public:
  // The topics exist. `history` outlives it.
  Load(History& history, std::string target, uint64_t seed);
  ~Load();  // Stops everybody.

  // Each sender sends so many records more.
  void Allow(int64_t sends);
  int64_t answered() const;
  // Waits until so many sends were answered since the beginning. False after a minute.
  bool AwaitAnswered(int64_t count);

  // No more sends; waits for the answers. False after a minute.
  bool FinishSending();
  // What the readers with these numbers have read up to.
  std::vector<std::pair<int, std::map<Partition, int64_t>>> positions() const;
  // Ends everybody else, too.
  void Stop();

  // What clients met that they should not have, a line each.
  std::vector<std::string> complaints() const;

 private:
  void Send(std::stop_token stop, int number, uint64_t seed);
  void Read(std::stop_token stop, int number, uint64_t seed, bool reopens);
  void Join(std::stop_token stop, int number, uint64_t seed);
  void Copy(std::stop_token stop, int number);
  // Waits until a sender may send number `sent`, with `pending` unanswered. False: no more.
  bool AwaitTurn(std::stop_token stop, int64_t sent, const std::atomic<int64_t>& pending);
  void Answered();
  void Complain(std::string text);

  History& history_;
  const std::string target_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  int64_t allowed_ = 0;   // Sends of each sender.
  int64_t answered_ = 0;  // Of all.
  int senders_left_ = kSenders;
  bool finishing_ = false;
  std::vector<std::string> complaints_;
  std::map<int, std::unique_ptr<Progress>> progress_;
  std::vector<std::jthread> threads_;
};

}  // namespace millrace::kills
