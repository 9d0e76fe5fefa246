// Who sends the events of the web benches, one request of some events after another.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace millrace::bench {

// Threads: one at a time. Whatever goes wrong ends the program.
class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual void Publish(const std::vector<std::string>& events) = 0;
};

// To a topic of the hub at `target`, a record an event, by ProduceStream. Makes the topic, with one
// partition.
std::unique_ptr<Publisher> PublishToHub(const std::string& target, const std::string& topic,
                                        bool synced);

// To millrace-web-broadcast, which sends each message on as it is: the events of a request become
// one.
std::unique_ptr<Publisher> PublishToBroadcast(const std::string& target);

}  // namespace millrace::bench
