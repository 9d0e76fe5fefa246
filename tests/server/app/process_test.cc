// The real program: how it starts, drains, refuses to start, and what it says.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"
#include "tests/server/app/server_process.h"
#include "tests/support/error_facts.h"

namespace millrace::testing {
namespace {

std::vector<std::string> OnDisk(const TemporaryDirectory& directory,
                                std::vector<std::string> flags = {}) {
  flags.insert(flags.begin(), {"--data-dir", directory / "data", "--listen", "127.0.0.1:0"});
  return flags;
}

std::unique_ptr<grpc::ClientContext> NewContext() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kProcessPatience);
  return context;
}

// A client with a topic "orders" of one partition.
struct Client {
  explicit Client(const std::string& target)
      : channel(grpc::CreateChannel(target, grpc::InsecureChannelCredentials())),
        events(v1::EventHubService::NewStub(channel)) {
    v1::CreateTopicRequest request;
    request.set_topic("orders");
    v1::CreateTopicResponse response;
    const grpc::Status status =
        v1::TopicService::NewStub(channel)->CreateTopic(NewContext().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  void Produce(const std::string& value) {
    v1::ProduceRequest request;
    request.set_topic("orders");
    request.add_records()->set_value(value);
    v1::ProduceResponse response;
    const grpc::Status status = events->Produce(NewContext().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> Subscribe(
      grpc::ClientContext* context) {
    v1::SubscribeRequest request;
    request.add_topics("orders");
    request.mutable_start()->set_earliest(true);
    return events->Subscribe(context, request);
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::EventHubService::Stub> events;
};

// Produces a record, reads it, sends the signal and gives the frame that ends the stream. Its
// channel is gone afterwards: gRPC waits for connections, and a synchronous client that calls
// nothing looks at its own only every 5 s.
v1::Ending StopUnderAReader(ServerProcess& server, int signal) {
  Client client(server.AwaitTarget());
  client.Produce("a");
  auto context = NewContext();
  const auto reader = client.Subscribe(context.get());
  v1::SubscribeResponse frame;
  while (!frame.has_batches() && reader->Read(&frame)) continue;
  server.Signal(signal);
  while (!frame.has_ending() && reader->Read(&frame)) continue;
  v1::SubscribeResponse more;
  EXPECT_FALSE(reader->Read(&more));
  EXPECT_EQ(FactsOf(reader->Finish()).reason, "DRAINING");
  return frame.ending();
}

TEST(Process, DrainsOnSigtermAndTellsItsReaders) {
  const TemporaryDirectory directory;
  ServerProcess server(OnDisk(directory));
  const v1::Ending ending = StopUnderAReader(server, SIGTERM);
  EXPECT_EQ(ending.reason(), v1::ENDING_REASON_DRAINING);
  ASSERT_EQ(ending.resume_at_size(), 1);
  EXPECT_EQ(ending.resume_at(0).offset(), 1);
  server.AwaitLine("draining signal=SIGTERM");
  server.AwaitLine("hub stopped");
  EXPECT_EQ(server.Wait().status, 0);
}

TEST(Process, GoesOnWhereItStoppedWithThePositionsStillGood) {
  const TemporaryDirectory directory;
  v1::Position resume_at;
  {
    ServerProcess server(OnDisk(directory));
    const v1::Ending ending = StopUnderAReader(server, SIGINT);
    ASSERT_EQ(ending.resume_at_size(), 1);
    resume_at = ending.resume_at(0);
    EXPECT_EQ(server.Wait().status, 0);
  }
  ServerProcess server(OnDisk(directory));
  const auto channel =
      grpc::CreateChannel(server.AwaitTarget(), grpc::InsecureChannelCredentials());
  v1::SubscribeRequest request;
  *request.add_positions() = resume_at;
  request.set_end_at_current(true);
  auto context = NewContext();
  const auto reader = v1::EventHubService::NewStub(channel)->Subscribe(context.get(), request);
  v1::SubscribeResponse frame;
  while (reader->Read(&frame)) EXPECT_FALSE(frame.has_batches());
  EXPECT_TRUE(reader->Finish().ok());
}

// A client that reads nothing keeps the drain waiting for it.
class StalledClient {
 public:
  explicit StalledClient(const std::string& target) : client_(target) {
    for (int i = 0; i < 32; ++i) client_.Produce(std::string(1 << 19, 'x'));
    reader_ = client_.Subscribe(context_.get());
    v1::SubscribeResponse frame;
    while (!frame.has_batches()) EXPECT_TRUE(reader_->Read(&frame));
  }
  ~StalledClient() {
    context_->TryCancel();
    reader_->Finish();
  }

 private:
  Client client_;
  std::unique_ptr<grpc::ClientContext> context_ = NewContext();
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
};

TEST(Process, DrainsWithinItsBoundThoughAReaderStalls) {
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0", "--drain-timeout", "10s"});
  StalledClient client(server.AwaitTarget());
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().status, 0);
}

TEST(Process, EndsAtOnceOnASecondSignal) {
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0", "--drain-timeout", "1h"});
  StalledClient client(server.AwaitTarget());
  server.Signal(SIGTERM);
  server.AwaitLine("draining");
  server.Signal(SIGINT);
  EXPECT_EQ(server.Wait().signal, SIGINT);
}

// A TCP connection to HOST:PORT, HOST an IPv4 address.
class OpenSocket {
 public:
  explicit OpenSocket(const std::string& target) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const size_t colon = target.rfind(':');
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(target.substr(colon + 1))));
    inet_pton(AF_INET, target.substr(0, colon).c_str(), &address.sin_addr);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~OpenSocket() { close(fd_); }
  OpenSocket(const OpenSocket&) = delete;
  OpenSocket& operator=(const OpenSocket&) = delete;

  int fd() const { return fd_; }
  bool connected() const { return connected_; }

 private:
  const int fd_;
  bool connected_ = false;
};

// The body of the answer.
std::string HttpGet(const std::string& target, const std::string& path) {
  const OpenSocket socket(target);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(send(socket.fd(), request.data(), request.size(), 0),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char bytes[4096];
  for (ssize_t size; (size = recv(socket.fd(), bytes, sizeof(bytes), 0)) > 0;) {
    answer.append(bytes, static_cast<size_t>(size));
  }
  const size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

// What is in the file, once it is there.
std::string AwaitContent(const std::string& path) {
  std::string content;
  const auto deadline = std::chrono::steady_clock::now() + kProcessPatience;
  while (content.empty() && std::chrono::steady_clock::now() < deadline) {
    std::ifstream file(path);
    content.assign(std::istreambuf_iterator<char>(file), {});
    if (content.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return content;
}

TEST(Process, WritesThePortFileWholeAndOnlyOnceItServes) {
  const TemporaryDirectory directory;
  ServerProcess server(
      {"--engine", "memory", "--listen", "127.0.0.1:0", "--port-file", directory / "port"});
  const std::string target = server.AwaitTarget();
  EXPECT_EQ("127.0.0.1:" + AwaitContent(directory / "port"), target + "\n");
}

TEST(Process, ServesTheWebOnAPortOfItsOwn) {
  const TemporaryDirectory directory;
  ServerProcess server(
      {"--engine", "memory", "--listen", "127.0.0.1:0", "--web-port-file", directory / "web-port"});
  const std::string started = server.AwaitLine("hub started");
  const std::string target = ServerProcess::FieldOf(started, " web_listen=");
  EXPECT_EQ("127.0.0.1:" + AwaitContent(directory / "web-port"), target + "\n");
  EXPECT_EQ(HttpGet(target, "/readyz"), "ready\n");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().status, 0);
}

TEST(Process, EndsThoughAWebClientSaysNothing) {
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0"});
  const std::string started = server.AwaitLine("hub started");
  const OpenSocket silent(ServerProcess::FieldOf(started, " web_listen="));
  EXPECT_TRUE(silent.connected());
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().status, 0);
}

TEST(Process, DoesWithoutAWebPort) {
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0", "--web-listen", "none"});
  const std::string started = server.AwaitLine("hub started");
  EXPECT_EQ(ServerProcess::FieldOf(started, " web_listen="), "none");
}

// ---- Where it does not start

// Expects one line, which names `what`, and this exit status.
void ExpectRefusal(std::vector<std::string> flags, int status, const std::string& what) {
  ServerProcess server(std::move(flags));
  const std::vector<std::string> said = server.ReadRest();
  EXPECT_EQ(server.Wait().status, status);
  ASSERT_EQ(said.size(), 1u) << ::testing::PrintToString(said);
  EXPECT_EQ(said[0].find("millrace-server: "), 0u) << said[0];
  EXPECT_NE(said[0].find(what), std::string::npos) << said[0];
}

TEST(Process, RefusesSenselessSettingsWithTwo) {
  ExpectRefusal({"--data-dir", "d", "--max-topics", "0"}, 2, "--max-topics");
}

TEST(Process, RefusesADirectoryThatAnotherHubUses) {
  const TemporaryDirectory directory;
  ServerProcess first(OnDisk(directory));
  Client client(first.AwaitTarget());
  ExpectRefusal(OnDisk(directory), 1, directory / "data");
  client.Produce("the first goes on");
}

TEST(Process, RefusesAPortThatIsTaken) {
  const TemporaryDirectory directory;
  ServerProcess first({"--engine", "memory", "--listen", "127.0.0.1:0"});
  const std::string target = first.AwaitTarget();
  ExpectRefusal({"--data-dir", directory / "data", "--listen", target}, 1, target);
}

TEST(Process, RefusesAWebPortThatIsTaken) {
  ServerProcess first({"--engine", "memory", "--listen", "127.0.0.1:0"});
  const std::string taken = ServerProcess::FieldOf(first.AwaitLine("hub started"), " web_listen=");
  ExpectRefusal({"--engine", "memory", "--listen", "127.0.0.1:0", "--web-listen", taken}, 1, taken);
}

TEST(Process, RefusesADirectoryThatItCannotMake) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "file") << "no directory";
  ExpectRefusal({"--data-dir", directory / "file/data", "--listen", "127.0.0.1:0"}, 1,
                directory / "file/data");
}

TEST(Process, RefusesADirectoryOfANewerFormat) {
  const TemporaryDirectory directory;
  {
    ServerProcess server(OnDisk(directory));
    server.AwaitTarget();
    server.Signal(SIGTERM);
    ASSERT_EQ(server.Wait().status, 0);
  }
  std::string word;
  std::ifstream(directory / "data/format") >> word;
  std::ofstream(directory / "data/format") << word << " 999\n";
  ExpectRefusal(OnDisk(directory), 1, "newer hub");
}

TEST(Process, RefusesALogThatLostWhatWasAcknowledgedUntilThatIsAccepted) {
  const TemporaryDirectory directory;
  {
    ServerProcess server(OnDisk(directory));
    Client(server.AwaitTarget()).Produce("a");
    server.Signal(SIGKILL);
    ASSERT_EQ(server.Wait().signal, SIGKILL);
  }
  for (const auto& file : std::filesystem::directory_iterator(directory / "data/db")) {
    if (file.path().extension() == ".log") std::filesystem::resize_file(file.path(), 0);
  }
  ExpectRefusal(OnDisk(directory), 1, "start once with --accept-data-loss");
  std::vector<std::string> flags = OnDisk(directory);
  flags.emplace_back("--accept-data-loss");
  ServerProcess server(flags);
  server.AwaitLine("data loss accepted");
  Client(server.AwaitTarget()).Produce("b");
}

TEST(Process, RefusesAPortFileThatItCannotWrite) {
  const TemporaryDirectory directory;
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0", "--log-level", "error",
                        "--port-file", directory / "no/such/place"});
  const std::vector<std::string> said = server.ReadRest();
  EXPECT_EQ(server.Wait().status, 1);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("no/such/place"), std::string::npos) << said[0];
}

// ---- What it logs

TEST(Process, LogsForPeopleOneEventALine) {
  const TemporaryDirectory directory;
  ServerProcess server(OnDisk(directory));
  const std::string line = server.AwaitLine("hub started");
  for (const std::string& field :
       {std::string(" info: hub started version="), std::string(" engine=rocksdb"),
        std::string(" listen=127.0.0.1:"), " data_dir=" + directory / "data",
        std::string(" log_epoch=")}) {
    EXPECT_NE(line.find(field), std::string::npos) << line;
  }
}

TEST(Process, LogsForProgramsAsJson) {
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0", "--log-format", "json"});
  const auto started = nlohmann::json::parse(server.AwaitLine("hub started"));
  EXPECT_EQ(started["level"], "info");
  EXPECT_EQ(started["event"], "hub started");
  EXPECT_EQ(started["engine"], "memory");
  Client(started["listen"].get<std::string>());  // Creates a topic.
  const auto created = nlohmann::json::parse(server.AwaitLine("admin action"));
  EXPECT_EQ(created["method"], "TopicService/CreateTopic");
  EXPECT_EQ(created["topic"], "orders");
  EXPECT_EQ(created["outcome"], "OK");
  server.Signal(SIGTERM);
  for (const std::string& line : server.ReadRest()) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
}

TEST(Process, LogsNothingBelowItsLevel) {
  const TemporaryDirectory directory;
  ServerProcess server({"--engine", "memory", "--listen", "127.0.0.1:0", "--log-level", "warn",
                        "--port-file", directory / "port"});
  AwaitContent(directory / "port");
  server.Signal(SIGTERM);
  EXPECT_TRUE(server.ReadRest().empty());
  EXPECT_EQ(server.Wait().status, 0);
}

}  // namespace
}  // namespace millrace::testing
