#include "server/web/json_messages.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "storage/error.h"

namespace millrace::server {

void AppendJson(const google::protobuf::Message& message, std::string* out) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  // It fails for times out of range only, and the hub's own messages have none.
  if (google::protobuf::util::MessageToJsonString(message, &json, options).ok()) *out += json;
}

absl::Status ParseJson(std::string_view json, google::protobuf::Message* message) {
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      {json.data(), json.size()}, message, google::protobuf::util::JsonParseOptions());
  if (parsed.ok()) return absl::OkStatus();
  return storage::Error(
      storage::Reason::kMalformedRequest,
      absl::StrCat("this is no ", message->GetDescriptor()->name(),
                   " in JSON: ", std::string(parsed.message().data(), parsed.message().size())));
}

}  // namespace millrace::server
