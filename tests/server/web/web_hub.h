// A hub in the test's own process with its web port: the memory engine, the hub and the port, any
// that is free. Gone with the object.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/hub/hub.h"
#include "server/web/web_server.h"
#include "storage/memory/memory_engine.h"

namespace millrace::testing {

class WebHub {
 public:
  explicit WebHub(server::WebLimits limits = {}, hub::HubOptions options = {});
  ~WebHub();

  int port() const { return server_->port(); }
  hub::Hub& hub() { return *hub_; }
  server::WebServer& server() { return *server_; }

  void CreateTopic(const std::string& name, int partitions = 1);
  // Appends the values to one partition.
  void Produce(const std::string& topic, int partition, const std::vector<std::string>& values);

  // Wait until so many are there.
  void AwaitConnections(int count);
  void AwaitSubscriptions(int count);

 private:
  storage::MemoryEngine engine_;
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<server::WebServer> server_;
};

}  // namespace millrace::testing
