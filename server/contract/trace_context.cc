#include "server/contract/trace_context.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/wire.h"

namespace millrace::server {
namespace {

constexpr size_t kMaxTracestateBytes = 512;
constexpr size_t kMaxTracestateMembers = 32;

// So many digits of lowercase hex.
bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

bool IsZero(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

// version "-" trace-id "-" parent-id "-" trace-flags; a version that is yet to come may go on
// behind another "-".
bool IsTraceparent(std::string_view text) {
  constexpr size_t kBytes = 55;
  if (text.size() < kBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  if (!IsHex(version, 2) || !IsHex(trace, 32) || !IsHex(parent, 16) ||
      !IsHex(text.substr(53, 2), 2)) {
    return false;
  }
  if (version == "ff" || IsZero(trace) || IsZero(parent)) return false;
  return text.size() == kBytes || (version != "00" && text[kBytes] == '-');
}

// A key, with or without the tenant of a system: "vendor", "tenant@vendor".
bool IsTracestateKey(std::string_view key) {
  constexpr size_t kMaxBytes = 256;
  if (key.empty() || key.size() > kMaxBytes ||
      !(absl::ascii_islower(key[0]) || absl::ascii_isdigit(key[0])))
    return false;
  const size_t at = key.find('@');
  if (at != std::string_view::npos && (at + 1 == key.size() || !absl::ascii_islower(key[at + 1])))
    return false;
  if (at != std::string_view::npos && key.find('@', at + 1) != std::string_view::npos) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-' || c == '*' ||
           c == '/' || c == '@';
  });
}

bool IsTracestateValue(std::string_view value) {
  constexpr size_t kMaxBytes = 256;
  if (value.empty() || value.size() > kMaxBytes || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A list of key=value; several headers of the name are one list. Empty where it is not valid.
std::string JoinTracestate(absl::Span<const std::string_view> headers) {
  std::string joined;
  size_t members = 0;
  for (const std::string_view header : headers) {
    for (const absl::string_view part :
         absl::StrSplit(absl::string_view(header.data(), header.size()), ',')) {
      const std::string_view member = Trimmed({part.data(), part.size()});
      if (member.empty()) continue;
      const size_t equals = member.find('=');
      if (equals == std::string_view::npos || !IsTracestateKey(member.substr(0, equals)) ||
          !IsTracestateValue(member.substr(equals + 1)) || ++members > kMaxTracestateMembers) {
        return "";
      }
      if (!joined.empty()) joined += ',';
      joined += member;
    }
  }
  return joined.size() <= kMaxTracestateBytes ? joined : "";
}

}  // namespace

std::optional<TraceContext> TraceContextOf(absl::Span<const std::string_view> traceparents,
                                           absl::Span<const std::string_view> tracestates) {
  if (traceparents.size() != 1) return std::nullopt;
  const std::string_view traceparent = Trimmed(traceparents[0]);
  if (!IsTraceparent(traceparent)) return std::nullopt;
  return TraceContext{std::string(traceparent), JoinTracestate(tracestates)};
}

storage::EncodedRecords WithTrace(const storage::EncodedRecords& records, const TraceContext& trace,
                                  const hub::Limits& limits) {
  storage::RecordView added;
  added.headers.push_back({kTraceparent, trace.traceparent});
  if (!trace.tracestate.empty()) added.headers.push_back({kTracestate, trace.tracestate});
  std::string headers;  // As fields of a Record, which may stand anywhere in it.
  storage::AppendRecord(added, &headers);

  const auto takes_it = [&](std::string_view record) {
    const auto view = storage::ParseRecord(record);
    return view && record.size() + headers.size() <= static_cast<size_t>(limits.max_record_bytes) &&
           view->headers.size() + added.headers.size() <=
               static_cast<size_t>(limits.max_record_headers) &&
           std::none_of(view->headers.begin(), view->headers.end(),
                        [](const auto& header) { return header.name == kTraceparent; });
  };
  const auto entries = std::make_shared<std::string>();
  entries->reserve(records.entries.bytes.size() +
                   static_cast<size_t>(records.count) *
                       (headers.size() + storage::wire::kMaxVarintBytes));
  storage::EntryReader reader(records.entries.bytes);
  for (std::string_view record; reader.Next(&record);) {
    const std::string_view extra = takes_it(record) ? std::string_view(headers) : "";
    char prefix[2 * storage::wire::kMaxVarintBytes];
    char* end = storage::wire::WriteTag(prefix, storage::kRecordsField,
                                        storage::wire::WireType::kLengthDelimited);
    end = storage::wire::WriteVarint(end, record.size() + extra.size());
    entries->append(prefix, end).append(record).append(extra);
  }
  return {.entries = {entries, *entries}, .count = records.count};
}

}  // namespace millrace::server
