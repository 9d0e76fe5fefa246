// How long a group takes to form: many members subscribe at once to a new topic of many partitions,
// until the last has its share. Prints one line of JSON; exits with 1 where a partition has not
// exactly one owner then, as the members and as GroupService see it.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/group.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"
#include "tests/bench/connect.h"

namespace {

using Clock = std::chrono::steady_clock;
using millrace::bench::Connect;
using millrace::v1::EventHubService;
using millrace::v1::GroupService;
using millrace::v1::SubscribeRequest;
using millrace::v1::SubscribeResponse;
using millrace::v1::TopicService;

struct Options {
  std::string target = "localhost:9640";
  std::string name = "formation";  // Of topic and group.
  int members = 1000;
  int partitions = 1000;
  int channels = 10;
  double seconds = 60;  // To give up after.
};

// Who has which partition, by the frames that members got. Threads: any.
class Assignment {
 public:
  Assignment(int members, int partitions) : shares_(members), owners_(partitions) {}

  void Assign(int member, int partition) { Change(member, partition, +1); }
  void Lose(int member, int partition) { Change(member, partition, -1); }

  void Fail(const std::string& message) {
    const std::lock_guard lock(mutex_);
    failure_ = message;
    changed_.notify_all();
  }

  // Until every partition has one owner and the members' shares differ by at most one. False when
  // that did not come in time or a member failed.
  bool WaitUntilFormed(Clock::time_point give_up) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, give_up, [&] { return !failure_.empty() || Formed(); });
    if (!failure_.empty()) std::cerr << "group-formation: " << failure_ << "\n";
    return failure_.empty() && Formed();
  }

  nlohmann::json Facts() {
    const std::lock_guard lock(mutex_);
    const auto [fewest, most] = std::minmax_element(shares_.begin(), shares_.end());
    return {{"owned_once", std::count(owners_.begin(), owners_.end(), 1)},
            {"fewest", *fewest},
            {"most", *most},
            {"assignments", assignments_}};
  }

 private:
  void Change(int member, int partition, int by) {
    const std::lock_guard lock(mutex_);
    owners_[partition] += by;
    shares_[member] += by;
    assignments_ += by > 0;
    changed_.notify_all();
  }

  bool Formed() const {
    const auto [fewest, most] = std::minmax_element(shares_.begin(), shares_.end());
    return *most - *fewest <= 1 &&
           std::all_of(owners_.begin(), owners_.end(), [](int owners) { return owners == 1; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> shares_;  // Partitions a member.
  std::vector<int> owners_;  // Members a partition.
  int assignments_ = 0;
  std::string failure_;
};

class Member : public grpc::ClientReadReactor<SubscribeResponse> {
 public:
  Member(EventHubService::Stub& stub, const Options& options, int number, Assignment& assignment)
      : number_(number), assignment_(assignment) {
    request_.add_topics(options.name);
    request_.set_group(options.name);
    stub.async()->Subscribe(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void Cancel() {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    context_.TryCancel();
  }

  void WaitUntilDone() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return done_; });
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    for (const auto& partition : response_.assigned().assignments()) {
      assignment_.Assign(number_, partition.partition());
    }
    for (const auto& partition : response_.lost().partitions()) {
      assignment_.Lose(number_, partition.partition());
    }
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    if (!cancelled_) assignment_.Fail("a stream ended: " + status.error_message());
    done_ = true;
    ended_.notify_all();
  }

 private:
  const int number_;
  Assignment& assignment_;
  grpc::ClientContext context_;
  SubscribeRequest request_;
  SubscribeResponse response_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool cancelled_ = false;
  bool done_ = false;
};

bool CreateTopic(const Options& options) {
  grpc::ClientContext context;
  millrace::v1::CreateTopicRequest request;
  request.set_topic(options.name);
  request.set_partition_count(options.partitions);
  millrace::v1::CreateTopicResponse response;
  const auto stub = TopicService::NewStub(Connect(options.target));
  const grpc::Status status = stub->CreateTopic(&context, request, &response);
  if (!status.ok()) std::cerr << "group-formation: " << status.error_message() << "\n";
  return status.ok();
}

// Whether the hub, too, says that every partition has one owner.
bool HubAgrees(const Options& options) {
  grpc::ClientContext context;
  millrace::v1::GetGroupRequest request;
  request.set_group(options.name);
  millrace::v1::GetGroupResponse response;
  const auto stub = GroupService::NewStub(Connect(options.target));
  const grpc::Status status = stub->GetGroup(&context, request, &response);
  if (!status.ok()) {
    std::cerr << "group-formation: " << status.error_message() << "\n";
    return false;
  }
  std::vector<int> owners(options.partitions);
  for (const auto& member : response.group().members()) {
    for (const auto& partition : member.partitions()) ++owners[partition.partition()];
  }
  return response.group().summary().member_count() == options.members &&
         std::all_of(owners.begin(), owners.end(), [](int count) { return count == 1; });
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures how long a group takes to form");
  app.add_option("--target", options.target, "HOST:PORT of the hub")->capture_default_str();
  app.add_option("--name", options.name, "of the topic and the group")->capture_default_str();
  app.add_option("--members", options.members)->capture_default_str();
  app.add_option("--partitions", options.partitions)->capture_default_str();
  app.add_option("--channels", options.channels, "that share the members")->capture_default_str();
  app.add_option("--seconds", options.seconds, "to give up after")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  if (!CreateTopic(options)) return 1;
  std::vector<std::unique_ptr<EventHubService::Stub>> stubs;
  for (int i = 0; i < options.channels; ++i) {
    auto channel = Connect(options.target);
    channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
    stubs.push_back(EventHubService::NewStub(std::move(channel)));
  }
  Assignment assignment(options.members, options.partitions);
  std::vector<std::unique_ptr<Member>> members;
  const Clock::time_point begin = Clock::now();
  const auto patience = std::chrono::duration<double>(options.seconds);
  for (int i = 0; i < options.members; ++i) {
    members.push_back(
        std::make_unique<Member>(*stubs[i % options.channels], options, i, assignment));
  }
  bool formed =
      assignment.WaitUntilFormed(begin + std::chrono::duration_cast<Clock::duration>(patience));
  const std::chrono::duration<double> took = Clock::now() - begin;
  formed = formed && HubAgrees(options);

  nlohmann::json facts = assignment.Facts();
  facts.update({{"members", options.members},
                {"partitions", options.partitions},
                {"formed", formed},
                {"seconds", took.count()}});
  std::cout << facts.dump() << "\n";
  for (const auto& member : members) member->Cancel();
  for (const auto& member : members) member->WaitUntilDone();
  return formed ? 0 : 1;
}
