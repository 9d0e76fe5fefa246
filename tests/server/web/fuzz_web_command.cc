// libFuzzer over what a WebSocket's client sends: a command in either subprotocol, and records
// shown as JSON and taken again. Nothing may crash; what is accepted must make sense; what is shown
// must be JSON on one line, and be taken for what it was.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/web/gateway_command.h"
#include "server/web/json_records.h"
#include "server/web/json_text.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"
#include "storage/error.h"

namespace {

using namespace millrace::server;  // NOLINT: one file, nothing else in it.
namespace hub = millrace::hub;
namespace storage = millrace::storage;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Protocols {
  hub::Limits limits;
  JsonFrames frames{1 << 20};
  std::unique_ptr<GatewayProtocol> json = MakeJsonProtocol(limits, frames, 1 << 20);
  std::unique_ptr<GatewayProtocol> proto = MakeProtoProtocol(limits, 1 << 20);
};

Protocols& TheProtocols() {
  static Protocols& protocols = *[] {
    google::protobuf::SetLogHandler(nullptr);
    return new Protocols;
  }();
  return protocols;
}

void TryCommand(const GatewayProtocol& protocol, std::string_view bytes) {
  const auto command = protocol.Decode(bytes);
  if (!command) return;
  if (!command->action.ok()) {
    Require(storage::ReasonOf(command->action.status()).has_value());
    return;
  }
  if (const auto* produce = std::get_if<hub::ProduceCommand>(&*command->action)) {
    Require(produce->records.count > 0);
    storage::EntryReader reader(produce->records.entries.bytes);
    int32_t count = 0;
    for (std::string_view record; reader.Next(&record); ++count) {
      Require(storage::ParseRecord(record).has_value());
    }
    Require(!reader.damaged() && count == produce->records.count);
  } else if (const auto* subscribe = std::get_if<hub::SubscribeCommand>(&*command->action)) {
    Require(subscribe->credit_records.value_or(0) >= 0);
  }
}

// A record of any bytes, shown and taken again.
void TryRecord(std::string_view bytes) {
  storage::RecordFacts facts;
  const hub::Limits& limits = TheProtocols().limits;
  const storage::RecordLimits sizes{.max_headers = limits.max_record_headers};
  if (storage::WalkRecord(bytes, sizes, &facts) != storage::WalkError::kNone) return;
  std::string shown;
  AppendRecordJson(bytes, 0, &shown);
  Require(IsJson(shown) && shown.find_first_of("\r\n") == std::string::npos);
  constexpr std::string_view kOffset = R"("offset":"0")";
  const bool alone = shown.size() == kOffset.size() + 2;
  shown.erase(1, kOffset.size() + (alone ? 0 : 1));
  const auto taken = ProduceFromJson(R"({"topic":"t","records":[)" + shown + "]}", "", limits);
  Require(taken.ok());
  storage::EntryReader reader(taken->records.entries.bytes);
  std::string_view record;
  Require(reader.Next(&record));
  const auto before = storage::ParseRecord(bytes);
  const auto after = storage::ParseRecord(record);
  Require(after->key == before->key && after->headers == before->headers);
  std::string value(before->value.value_or(""));
  if (value != after->value.value_or("")) {  // JSON loses its line breaks, and blanks around it.
    Require(IsJson(value));
    std::replace_if(
        value.begin(), value.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    Require(value.find(*after->value) != std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryCommand(*TheProtocols().json, bytes);
  TryCommand(*TheProtocols().proto, bytes);
  TryRecord(bytes);
  return 0;
}
