// Kills a hub under load, over and over, and judges what its clients saw.
//
//   millrace-kill-load --server PROGRAM --kills N --seed S --history FILE
//
// Exits with 0 if nothing was found, otherwise with 1, and the history is in the file. The seed
// fixes what is asked, and which kill comes after how many answers; which thread comes first it
// does not.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "millrace/admin.h"
#include "tests/fault/kills/client_checker.h"
#include "tests/fault/kills/load.h"
#include "tests/fault/random.h"
#include "tests/support/hub_process.h"

namespace millrace::kills {
namespace {

using client::Admin;
using fault::Random;
using testing::HubProcess;

constexpr int64_t kAllowedPerLife = 120;  // Sends of each sender.
constexpr std::chrono::seconds kPatience(60);

struct Options {
  std::string server;
  int64_t kills = 200;
  uint64_t seed = 1;
  std::string history = "kills-history.txt";
};

// When the hub is killed.
enum class Moment { kUnderLoad, kAfterStart, kRecovery, kFlush, kDrain };
constexpr int kMoments = 5;
constexpr const char* kWords[kMoments] = {"under load", "just started", "recovering", "flushing",
                                          "draining"};

Moment Draw(Random& random) {
  const uint64_t draw = random.Below(100);
  if (draw < 55) return Moment::kUnderLoad;
  if (draw < 65) return Moment::kAfterStart;
  if (draw < 80) return Moment::kRecovery;
  if (draw < 90) return Moment::kFlush;
  return Moment::kDrain;
}

void Pause(Random& random, int64_t most_us) {
  std::this_thread::sleep_for(std::chrono::microseconds(random.Between(0, most_us)));
}

// A free port that the kernel gives to no client, so that none has it while the hub is away.
int FreePort() {
  std::random_device random;
  while (true) {
    const int port = 20'000 + static_cast<int>(random() % 10'000);
    const int probe = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    if (free) return port;
  }
}

class Campaign {
 public:
  explicit Campaign(const Options& options)
      : options_(options), random_(options.seed), hub_(options.server, FreePort()) {}

  // Whether nothing was found.
  bool Run() {
    for (const auto& [topic, partitions] :
         {std::pair("in", kInPartitions), {"out", kInPartitions}, {"mixed", kMixedPartitions}}) {
      const auto created = admin_.CreateTopic(topic, partitions);
      if (!created.ok()) Complain(absl::StrCat("no topic: ", created.status().ToString()));
    }
    NoteLife(false, 0);
    Load load(history_, hub_.target(), options_.seed);
    try {
      while (kills_ < options_.kills && problems_.empty()) Cycle(load);
      Finish(load);
      load.Stop();
      ReadWhole();
      Judge();
    } catch (const std::runtime_error& error) {  // The hub did not start.
      load.Stop();
      Complain(error.what());
    }
    for (const std::string& complaint : load.complaints()) Complain(complaint);
    return Report();
  }

 private:
  void Complain(std::string text) { problems_.push_back(std::move(text)); }

  // One life from here to the next.
  void Cycle(Load& load) {
    const Moment moment = Draw(random_);
    load.Allow(kAllowedPerLife);
    if (moment != Moment::kAfterStart) {
      const int64_t most = kAllowedPerLife * kSenders * 3 / 4;
      if (!load.AwaitAnswered(load.answered() + random_.Between(1, most))) {
        Complain("the senders got no answers for a minute");
      }
    }
    std::jthread flush;
    if (moment == Moment::kFlush) {
      const std::string copy = hub_.directory() + "/checkpoint";
      flush = std::jthread([this, copy] { (void)admin_.CreateCheckpoint(copy); });
    }
    if (moment == Moment::kDrain) hub_.Terminate();
    Pause(random_, moment == Moment::kUnderLoad ? 5'000 : 40'000);
    Kill(moment);
    if (flush.joinable()) flush.join();
    std::error_code ignored;
    std::filesystem::remove_all(hub_.directory() + "/checkpoint", ignored);
    std::filesystem::remove_all(hub_.directory() + "/checkpoint.tmp", ignored);
    while (moment == Moment::kRecovery && kills_ < options_.kills) {
      hub_.Launch();
      Pause(random_, 150'000);
      Kill(moment);
      if (random_.OneIn(2)) break;
    }
    const int64_t began = history_.Step();
    hub_.Start();
    NoteLife(moment != Moment::kDrain, began);
    NoteCommits();
  }

  void Kill(Moment moment) {
    if (!hub_.Kill()) return;  // It had drained before.
    ++kills_;
    ++kills_at_[static_cast<size_t>(moment)];
  }

  // Calls until the hub answers.
  template <typename Call>
  auto Insist(Call call) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (true) {
      auto answer = call();
      if (answer.ok() || std::chrono::steady_clock::now() > give_up) return answer;
      std::this_thread::yield();
    }
  }

  void NoteLife(bool after_kill, int64_t began) {
    const auto hub = Insist([&] { return admin_.GetHub(); });
    if (!hub.ok()) return Complain("the hub does not answer: " + hub.status().ToString());
    history_.Add(Life{.log_epoch = hub->log_epoch, .step = began, .after_kill = after_kill});
  }

  void NoteCommits() {
    for (const char* group : {"members", "copiers"}) {
      const int64_t asked = history_.Step();
      const auto offsets = admin_.GetCommittedOffsets(group);
      if (!offsets.ok()) continue;  // The group is not there yet.
      const int64_t answered = history_.Step();
      for (const client::CommittedOffset& offset : *offsets) {
        history_.Add(CommitSeen{.group = group,
                                .partition = {offset.partition.topic, offset.partition.partition},
                                .next_offset = offset.next_offset.value_or(0),
                                .asked = asked,
                                .answered = answered});
      }
    }
  }

  std::map<Partition, int64_t> Ends() {
    std::map<Partition, int64_t> ends;
    for (const char* topic : {"in", "out", "mixed"}) {
      const auto offsets = Insist([&] { return admin_.ListOffsets(topic); });
      if (!offsets.ok()) continue;
      for (const client::PartitionOffsets& partition : offsets->partitions) {
        if (partition.latest_offset > 0) {
          ends[{topic, partition.partition}] = partition.latest_offset;
        }
      }
    }
    return ends;
  }

  // Lets everybody come to the end: the copy is as long as its source, readers have read all,
  // groups have committed all.
  void Finish(Load& load) {
    if (!load.FinishSending()) Complain("senders without an answer for a minute");
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    std::string missing;
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      missing = Missing(load);
    } while (!missing.empty() && std::chrono::steady_clock::now() < give_up);
    if (!missing.empty()) Complain("a minute after the last send: " + missing);
    NoteCommits();
  }

  // What is not at the end yet.
  std::string Missing(const Load& load) {
    const std::map<Partition, int64_t> ends = Ends();
    for (const auto& [partition, end] : ends) {
      if (partition.first != "in") continue;
      const auto copy = ends.find({"out", partition.second});
      if (copy == ends.end() || copy->second < end) return "the copier has not copied all";
    }
    for (const auto& [reader, next] : load.positions()) {
      if (reader >= 8) continue;
      if (next != ends) return absl::StrCat("reader ", reader, " has not read all");
    }
    for (const char* group : {"members", "copiers"}) {
      std::map<Partition, int64_t> committed;
      const auto offsets = admin_.GetCommittedOffsets(group);
      if (!offsets.ok()) return "no commits";
      for (const client::CommittedOffset& offset : *offsets) {
        committed[{offset.partition.topic, offset.partition.partition}] =
            offset.next_offset.value_or(0);
      }
      for (const auto& [partition, end] : ends) {
        const bool subscribed =
            partition.first == "in" || (partition.first == "mixed" && group[0] == 'm');
        if (subscribed && committed[partition] < end) {
          return absl::StrCat(group, " have committed ", committed[partition], " of ", end, " in ",
                              partition.first, "/", partition.second);
        }
      }
    }
    return "";
  }

  void ReadWhole() {
    auto reader = client::Consumer::Open(
        Connect(hub_.target()),
        {.topics = {"in", "mixed", "out"}, .start = client::Earliest(), .end_at_current = true});
    if (!reader.ok()) return Complain("cannot read it all: " + reader.status().ToString());
    Progress progress;
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!(*reader)->ended()) {
      const auto records = (*reader)->Poll(absl::Milliseconds(100));
      if (!records.ok() || std::chrono::steady_clock::now() > give_up) {
        return Complain("cannot read it all: " + records.status().ToString());
      }
      progress.Take(history_, kFinalReader, *records);
    }
  }

  void Judge() {
    for (const Finding& finding : Check(history_, {.final_reader = kFinalReader,
                                                  .complete_readers = {6, 7, kFinalReader},
                                                  .copied_from = "in",
                                                  .copied_to = "out"})) {
      Complain(finding.text);
    }
  }

  bool Report() {
    int64_t outcomes[3] = {};
    for (const Send& send : history_.sends) ++outcomes[static_cast<int>(send.outcome)];
    std::string moments;
    for (int i = 0; i < kMoments; ++i) {
      absl::StrAppend(&moments, i == 0 ? "" : ", ", kills_at_[i], " ", kWords[i]);
    }
    std::cout << kills_ << " kills (" << moments << "), " << history_.lives.size() << " lives, "
              << history_.sends.size() << " sends (" << outcomes[1] << " acknowledged, "
              << outcomes[2] << " failed, " << outcomes[0] << " unknown), " << history_.polls.size()
              << " polls, " << history_.commits.size()
              << " commits: " << (problems_.empty() ? "nothing found" : "VIOLATIONS") << "\n";
    if (problems_.empty()) return true;
    std::ofstream file(options_.history);
    file << "seed " << options_.seed << " kills " << options_.kills << "\n"
         << absl::StrJoin(problems_, "\n") << "\n";
    history_.WriteTo(file);
    std::ifstream log(hub_.directory() + "/hub.log");
    file << "---- the hub's log\n" << log.rdbuf();
    std::cout << absl::StrJoin(problems_, "\n") << "\nseed " << options_.seed
              << ", the history is in " << options_.history << "\n";
    return false;
  }

  const Options& options_;
  Random random_;
  HubProcess hub_;
  Admin admin_{Connect(hub_.target())};
  History history_;
  int64_t kills_ = 0;
  int64_t kills_at_[kMoments] = {};
  std::vector<std::string> problems_;
};

}  // namespace
}  // namespace millrace::kills

int main(int argc, char** argv) {
  millrace::kills::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--server") options.server = value;
    if (name == "--kills") options.kills = std::stoll(value);
    if (name == "--seed") options.seed = std::stoull(value);
    if (name == "--history") options.history = value;
  }
  if (options.server.empty()) {
    std::cerr << "--server is missing\n";
    return 2;
  }
  return millrace::kills::Campaign(options).Run() ? 0 : 1;
}
