#include "tests/support/fake_hub.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>

namespace millrace::testing {
namespace {

constexpr int kFailedPrecondition = 9;
constexpr int kNotFound = 5;

// google.rpc.Status with one ErrorInfo, in wire form. The lengths stay below 128.
std::string Details(const v1::RequestError& error) {
  const auto field = [](char number, const std::string& bytes) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
  };
  std::string info = field(1, error.reason()) + field(2, "millrace");
  for (const auto& [name, value] : error.metadata()) {
    info += field(3, field(1, name) + field(2, value));
  }
  const std::string any = field(1, "type.googleapis.com/google.rpc.ErrorInfo") + field(2, info);
  return field(3, any);
}

}  // namespace

v1::RequestError MakeRequestError(int code, const std::string& reason) {
  v1::RequestError error;
  error.set_code(code);
  error.set_reason(reason);
  error.set_message(reason);
  return error;
}

grpc::Status ToStatus(const v1::RequestError& error) {
  return {static_cast<grpc::StatusCode>(error.code()), error.message(), Details(error)};
}

class FakeEventHubService final : public v1::EventHubService::Service {
 public:
  explicit FakeEventHubService(FakeHub& hub) : hub_(hub) {}

  grpc::Status OpenProducer(grpc::ServerContext* context, const v1::OpenProducerRequest* request,
                            v1::OpenProducerResponse* response) override {
    std::lock_guard lock(hub_.mutex_);
    const std::string id = request->producer_id().empty()
                               ? "made-up-" + std::to_string(hub_.producers_.size())
                               : request->producer_id();
    FakeHub::Producer& producer = hub_.producers_[id];
    response->set_producer_id(id);
    response->set_epoch(++producer.epoch);
    response->set_last_sequence(producer.last_sequence);
    response->set_window(128);
    ++hub_.opened_epochs_;
    hub_.changed_.notify_all();
    return grpc::Status::OK;
  }

  grpc::Status ProduceStream(grpc::ServerContext* context,
                             grpc::ServerReaderWriter<v1::ProduceStreamResponse,
                                                      v1::ProduceStreamRequest>* stream) override {
    v1::ProduceStreamRequest message;
    while (stream->Read(&message)) {
      FakeHub::ProduceScript script;
      int count = 0;
      {
        std::lock_guard lock(hub_.mutex_);
        hub_.produce_requests_.push_back(message.request());
        count = static_cast<int>(hub_.produce_requests_.size());
        script = hub_.produce_script_;
        hub_.changed_.notify_all();
      }
      const ProduceVerdict verdict = script ? script(message.request(), count) : ProduceVerdict{};
      if (verdict.action == ProduceVerdict::kCutBeforeStore) return Cut();
      if (verdict.action == ProduceVerdict::kHold && !WaitUntilReleased()) return Cut();
      v1::ProduceStreamResponse answer;
      if (verdict.action == ProduceVerdict::kRefuse) {
        *answer.mutable_error() = verdict.error;
      } else {
        answer = hub_.Produce(message.request());
      }
      if (verdict.action == ProduceVerdict::kCutAfterStore) return Cut();
      if (!stream->Write(answer)) return Cut();
    }
    return grpc::Status::OK;
  }

  grpc::Status Subscribe(grpc::ServerContext* context, const v1::SubscribeRequest* request,
                         FakeHub::SubscribeWriter* writer) override {
    FakeHub::SubscribeScript script;
    int count = 0;
    {
      std::lock_guard lock(hub_.mutex_);
      hub_.subscribe_requests_.push_back(*request);
      count = static_cast<int>(hub_.subscribe_requests_.size());
      script = hub_.subscribe_script_;
      hub_.changed_.notify_all();
    }
    if (script) return script(*context, *request, count, *writer);
    return hub_.Subscribe(*context, *request, count, *writer);
  }

  grpc::Status CommitOffset(grpc::ServerContext* context, const v1::CommitOffsetRequest* request,
                            v1::CommitOffsetResponse* response) override {
    return hub_.CommitOffsets(*request, *response);
  }

  grpc::Status GetCommittedOffsets(grpc::ServerContext* context,
                                   const v1::GetCommittedOffsetsRequest* request,
                                   v1::GetCommittedOffsetsResponse* response) override {
    std::lock_guard lock(hub_.mutex_);
    for (const v1::TopicPartition& partition : request->partitions()) {
      v1::CommittedOffset& offset = *response->add_offsets();
      offset.set_topic(partition.topic());
      offset.set_partition(partition.partition());
      const auto found =
          hub_.committed_.find({request->group(), {partition.topic(), partition.partition()}});
      offset.set_next_offset(found == hub_.committed_.end() ? 0 : found->second);
    }
    return grpc::Status::OK;
  }

  grpc::Status Transact(grpc::ServerContext* context, const v1::TransactRequest* request,
                        v1::TransactResponse* response) override {
    FakeHub::TransactScript script;
    int count = 0;
    {
      std::lock_guard lock(hub_.mutex_);
      hub_.transact_requests_.push_back(*request);
      count = static_cast<int>(hub_.transact_requests_.size());
      script = hub_.transact_script_;
    }
    const ProduceVerdict verdict = script ? script(*request, count) : ProduceVerdict{};
    if (verdict.action == ProduceVerdict::kCutBeforeStore) return Cut();
    if (verdict.action == ProduceVerdict::kRefuse) return ToStatus(verdict.error);
    const grpc::Status status = hub_.Transact(*request, *response);
    return verdict.action == ProduceVerdict::kCutAfterStore ? Cut() : status;
  }

  grpc::Status Seek(grpc::ServerContext* context, const v1::SeekRequest* request,
                    v1::SeekResponse* response) override {
    std::lock_guard lock(hub_.mutex_);
    ++hub_.seeks_;
    const auto session = hub_.sessions_.find(request->session_id());
    if (session == hub_.sessions_.end()) {
      return ToStatus(MakeRequestError(kNotFound, "SESSION_NOT_FOUND"));
    }
    for (const v1::SeekTarget& target : request->targets()) {
      *response->add_results() = hub_.Seek(session->second, target);
    }
    hub_.changed_.notify_all();
    return grpc::Status::OK;
  }

  grpc::Status PausePartitions(grpc::ServerContext* context,
                               const v1::PausePartitionsRequest* request,
                               v1::PausePartitionsResponse* response) override {
    return SetPaused(request->session_id(), request->partitions(), true);
  }

  grpc::Status ResumePartitions(grpc::ServerContext* context,
                                const v1::ResumePartitionsRequest* request,
                                v1::ResumePartitionsResponse* response) override {
    return SetPaused(request->session_id(), request->partitions(), false);
  }

 private:
  static grpc::Status Cut() { return {grpc::StatusCode::UNAVAILABLE, "cut by the test"}; }

  bool WaitUntilReleased() {
    std::unique_lock lock(hub_.mutex_);
    hub_.changed_.wait(lock, [&] { return hub_.held_released_ || hub_.killed_; });
    return !hub_.killed_;
  }

  template <typename Partitions>
  grpc::Status SetPaused(const std::string& session_id, const Partitions& partitions, bool paused) {
    std::lock_guard lock(hub_.mutex_);
    const auto session = hub_.sessions_.find(session_id);
    if (session == hub_.sessions_.end()) {
      return ToStatus(MakeRequestError(kNotFound, "SESSION_NOT_FOUND"));
    }
    for (auto& [name, cursor] : session->second.cursors) {
      if (partitions.empty()) cursor.paused = paused;
      for (const auto& partition : partitions) {
        if (name.first == partition.topic() && name.second == partition.partition()) {
          cursor.paused = paused;
        }
      }
    }
    hub_.changed_.notify_all();
    return grpc::Status::OK;
  }

  FakeHub& hub_;
};

class FakeHubService final : public v1::HubService::Service {
 public:
  explicit FakeHubService(FakeHub& hub) : hub_(hub) {}

  grpc::Status GetHub(grpc::ServerContext* context, const v1::GetHubRequest* request,
                      v1::GetHubResponse* response) override {
    std::lock_guard lock(hub_.mutex_);
    v1::HubInfo& info = *response->mutable_hub();
    info.set_version("fake");
    info.set_engine("memory");
    *info.mutable_limits() = hub_.limits_;
    info.mutable_capabilities()->set_producer_sequences(hub_.producer_sequences_);
    info.mutable_capabilities()->set_log_epoch(true);
    info.set_log_epoch(hub_.log_epoch_);
    return grpc::Status::OK;
  }

 private:
  FakeHub& hub_;
};

FakeHub::FakeHub()
    : events_(std::make_unique<FakeEventHubService>(*this)),
      hub_(std::make_unique<FakeHubService>(*this)) {
  Listen();
}

FakeHub::~FakeHub() { Kill(); }

void FakeHub::Listen() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(),
                           &port_);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(events_.get());
  builder.RegisterService(hub_.get());
  server_ = builder.BuildAndStart();
}

std::string FakeHub::target() const { return "127.0.0.1:" + std::to_string(port_); }

void FakeHub::Kill() {
  {
    std::lock_guard lock(mutex_);
    killed_ = true;
    changed_.notify_all();
  }
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

void FakeHub::Restart() {
  {
    std::lock_guard lock(mutex_);
    killed_ = false;
    sessions_.clear();
    ++log_epoch_;
  }
  Listen();
}

void FakeHub::SetProduceScript(ProduceScript script) {
  std::lock_guard lock(mutex_);
  produce_script_ = std::move(script);
}

void FakeHub::SetSubscribeScript(SubscribeScript script) {
  std::lock_guard lock(mutex_);
  subscribe_script_ = std::move(script);
}

void FakeHub::SetFrameScript(FrameScript script) {
  std::lock_guard lock(mutex_);
  frame_script_ = std::move(script);
}

void FakeHub::SetTransactScript(TransactScript script) {
  std::lock_guard lock(mutex_);
  transact_script_ = std::move(script);
}

void FakeHub::ReleaseHeld() {
  std::lock_guard lock(mutex_);
  held_released_ = true;
  changed_.notify_all();
}

void FakeHub::SetLimits(const v1::Limits& limits) {
  std::lock_guard lock(mutex_);
  limits_ = limits;
}

void FakeHub::SetProducerSequences(bool supported) {
  std::lock_guard lock(mutex_);
  producer_sequences_ = supported;
}

void FakeHub::SetBatchRecords(int records) {
  std::lock_guard lock(mutex_);
  batch_records_ = records;
}

void FakeHub::CreateTopic(const std::string& topic, int partitions) {
  std::lock_guard lock(mutex_);
  topics_[topic].resize(partitions,
                        Partition{.records = {}, .earliest = 0, .first_log_epoch = log_epoch_});
  changed_.notify_all();
}

void FakeHub::Append(const std::string& topic, int partition,
                     const std::vector<std::string>& values) {
  std::lock_guard lock(mutex_);
  for (const std::string& value : values) {
    v1::Record record;
    record.set_value(value);
    topics_.at(topic).at(partition).records.push_back({record, log_epoch_});
  }
  changed_.notify_all();
}

std::vector<std::string> FakeHub::Values(const std::string& topic, int partition) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> values;
  for (const StoredRecord& stored : topics_.at(topic).at(partition).records) {
    values.push_back(stored.record.value());
  }
  return values;
}

std::optional<int64_t> FakeHub::Committed(const std::string& group, const std::string& topic,
                                          int partition) const {
  std::lock_guard lock(mutex_);
  const auto entry = committed_.find({group, {topic, partition}});
  if (entry == committed_.end()) return std::nullopt;
  return entry->second;
}

void FakeHub::SetCommitted(const std::string& group, const std::string& topic, int partition,
                           int64_t next_offset) {
  std::lock_guard lock(mutex_);
  committed_[{group, {topic, partition}}] = next_offset;
}

void FakeHub::ReplaceTopic(const std::string& topic) {
  std::lock_guard lock(mutex_);
  ++log_epoch_;
  for (Partition& partition : topics_.at(topic)) {
    partition = {.records = {}, .earliest = 0, .first_log_epoch = log_epoch_};
  }
  std::erase_if(committed_, [&](const auto& entry) { return entry.first.second.first == topic; });
}

void FakeHub::Truncate(const std::string& topic, int partition, int64_t offset) {
  std::lock_guard lock(mutex_);
  topics_.at(topic).at(partition).earliest = offset;
}

void FakeHub::ForgetProducers() {
  std::lock_guard lock(mutex_);
  producers_.clear();
}

void FakeHub::FenceProducers() {
  std::lock_guard lock(mutex_);
  for (auto& [id, producer] : producers_) ++producer.epoch;
}

std::vector<v1::ProduceRequest> FakeHub::produce_requests() const {
  std::lock_guard lock(mutex_);
  return produce_requests_;
}

std::vector<v1::SubscribeRequest> FakeHub::subscribe_requests() const {
  std::lock_guard lock(mutex_);
  return subscribe_requests_;
}

std::vector<v1::CommitOffsetRequest> FakeHub::commit_requests() const {
  std::lock_guard lock(mutex_);
  return commit_requests_;
}

std::vector<v1::TransactRequest> FakeHub::transact_requests() const {
  std::lock_guard lock(mutex_);
  return transact_requests_;
}

int FakeHub::opened_epochs() const {
  std::lock_guard lock(mutex_);
  return opened_epochs_;
}

bool FakeHub::HasSessions() const {
  std::lock_guard lock(mutex_);
  return !sessions_.empty();
}

int FakeHub::seeks() const {
  std::lock_guard lock(mutex_);
  return seeks_;
}

bool FakeHub::WaitFor(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_until(lock, std::min(deadline, std::chrono::steady_clock::now() +
                                                         std::chrono::milliseconds(20))) ==
            std::cv_status::timeout &&
        std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
  }
  return true;
}

// ---- Producing

std::optional<v1::RequestError> FakeHub::CheckSequence(const v1::ProducerSequence& sequence,
                                                       v1::ProduceResponse& known) {
  const auto found = producers_.find(sequence.producer_id());
  if (found == producers_.end()) return MakeRequestError(kFailedPrecondition, "PRODUCER_UNKNOWN");
  const Producer& producer = found->second;
  if (sequence.epoch() < producer.epoch) {
    return MakeRequestError(kFailedPrecondition, "PRODUCER_FENCED");
  }
  if (sequence.sequence() <= producer.last_sequence) {
    known = producer.outcomes.at(sequence.sequence());
    known.set_duplicate(true);
    return std::nullopt;
  }
  if (sequence.sequence() != producer.last_sequence + 1) {
    v1::RequestError gap = MakeRequestError(kFailedPrecondition, "SEQUENCE_GAP");
    (*gap.mutable_metadata())["expected_sequence"] = std::to_string(producer.last_sequence + 1);
    return gap;
  }
  return std::nullopt;
}

v1::ProduceStreamResponse FakeHub::Produce(const v1::ProduceRequest& request) {
  std::lock_guard lock(mutex_);
  v1::ProduceStreamResponse answer;
  const auto topic = topics_.find(request.topic());
  if (topic == topics_.end()) {
    *answer.mutable_error() = MakeRequestError(kNotFound, "TOPIC_NOT_FOUND");
    return answer;
  }
  if (request.has_sequence()) {
    v1::ProduceResponse known;
    if (auto error = CheckSequence(request.sequence(), known)) {
      *answer.mutable_error() = *error;
      return answer;
    }
    if (known.duplicate()) {
      *answer.mutable_produced() = known;
      return answer;
    }
  }
  *answer.mutable_produced() = Store(request);
  if (request.has_sequence()) {
    Producer& producer = producers_.at(request.sequence().producer_id());
    producer.last_sequence = request.sequence().sequence();
    producer.outcomes[producer.last_sequence] = answer.produced();
  }
  changed_.notify_all();
  return answer;
}

// A record without a partition goes to the one that its key begins with, "2-anything"; else to 0.
v1::ProduceResponse FakeHub::Store(const v1::ProduceRequest& request) {
  std::vector<Partition>& partitions = topics_.at(request.topic());
  std::map<int, v1::AppendedRange> ranges;
  for (int i = 0; i < request.records_size(); ++i) {
    const v1::Record& record = request.records(i);
    int number = request.partition();
    if (!request.has_partition() && !record.key().empty()) {
      number = (record.key()[0] - '0') % static_cast<int>(partitions.size());
    }
    Partition& partition = partitions.at(number);
    v1::AppendedRange& range = ranges[number];
    if (range.record_count() == 0) {
      range.set_partition(number);
      range.set_base_offset(static_cast<int64_t>(partition.records.size()));
    }
    range.set_record_count(range.record_count() + 1);
    range.add_record_indexes(i);
    partition.records.push_back({record, log_epoch_});
  }
  v1::ProduceResponse response;
  for (auto& [number, range] : ranges) {
    if (ranges.size() == 1) range.clear_record_indexes();
    *response.add_appended() = range;
  }
  return response;
}

}  // namespace millrace::testing
