// millrace.v1.json: a command is cut into its parts as text; each part is then read by whoever
// knows its form.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/contract/trace_context.h"
#include "server/web/frame_cache.h"
#include "server/web/gateway_command.h"
#include "server/web/json_messages.h"
#include "server/web/json_records.h"
#include "server/web/json_text.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

// What a client sent, as much of it as an error shows: whole characters of UTF-8.
std::string Shown(std::string_view text) {
  constexpr size_t kMaxBytes = 64;
  size_t end = std::min(text.size(), kMaxBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end));
}

template <typename Message>
absl::StatusOr<GatewayAction> Read(std::string_view json) {
  Message message;
  if (absl::Status status = ParseJson(json, &message); !status.ok()) return status;
  return ToAction(message);
}

absl::StatusOr<GatewayAction> ReadAction(std::string_view name, std::string_view json,
                                         const hub::Limits& limits) {
  if (name == "produce") {
    auto produce = ProduceFromJson(json, "", limits);
    if (!produce.ok()) return produce.status();
    return *std::move(produce);
  }
  if (name == "subscribe") return Read<v1::GatewaySubscribe>(json);
  if (name == "unsubscribe") return Read<v1::GatewayUnsubscribe>(json);
  if (name == "commit") return Read<v1::CommitOffsetRequest>(json);
  if (name == "credit") return Read<v1::GatewayCredit>(json);
  if (name == "ping") return Read<v1::GatewayPing>(json);
  if (name == "watchGroup" || name == "watch_group") return Read<v1::WatchGroupRequest>(json);
  return UnknownCommand(Shown(name));
}

void ReadId(std::string_view json, GatewayCommand& command) {
  const std::string digits = JsonString(json).value_or(std::string(json));
  if (absl::SimpleAtoi(digits, &command.id)) return;
  command.id = 0;
  command.bad_id = Shown(digits);
}

class JsonProtocol final : public GatewayProtocol {
 public:
  JsonProtocol(const hub::Limits& limits, JsonFrames& frames, int64_t max_cached_bytes)
      : limits_(limits), frames_(frames), cache_(max_cached_bytes) {}

  std::string_view name() const override { return "millrace.v1.json"; }
  bool is_text() const override { return true; }

  std::optional<GatewayCommand> Decode(std::string_view message) const override {
    if (!IsJson(message)) return std::nullopt;
    JsonMembers members(message);
    if (!members.is_object()) return std::nullopt;
    GatewayCommand command{.action = NotOneCommand()};
    std::optional<JsonMember> action;
    bool several = false;
    for (JsonMember member; members.Next(&member);) {
      if (member.name == "id") {
        ReadId(member.value, command);
      } else if (member.name == kTraceparent) {
        command.traceparent = JsonString(member.value).value_or("");
      } else if (member.name == kTracestate) {
        command.tracestate = JsonString(member.value).value_or("");
      } else {
        several |= action.has_value();
        action = member;
      }
    }
    if (action && !several) command.action = ReadAction(action->name, action->value, limits_);
    return command;
  }

  Pieces Encode(const v1::GatewayResponse& response) const override {
    std::string json;
    AppendJson(response, &json);
    return Pieces(std::move(json));
  }

  Pieces EncodeFrame(int32_t id, const hub::Frame& frame) const override {
    const auto* batches = std::get_if<hub::BatchesFrame>(&frame);
    if (batches == nullptr) return MakeFrame(id, frame);
    return cache_.Get(id, *batches, [&] { return MakeFrame(id, frame); });
  }

 private:
  Pieces MakeFrame(int32_t id, const hub::Frame& frame) const {
    Pieces out(absl::StrCat("{\"id\":", id, ",\"frame\":"));
    frames_.Append(frame, out);
    out.AddText("}");
    return out;
  }

  const hub::Limits& limits_;
  JsonFrames& frames_;
  mutable FrameCache cache_;  // Has its own lock.
};

}  // namespace

std::unique_ptr<GatewayProtocol> MakeJsonProtocol(const hub::Limits& limits, JsonFrames& frames,
                                                  int64_t max_cached_bytes) {
  return std::make_unique<JsonProtocol>(limits, frames, max_cached_bytes);
}

}  // namespace millrace::server
