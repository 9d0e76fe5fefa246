#include "server/web/json_text.h"

#include <nlohmann/json.hpp>

namespace millrace::server {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";

void SkipBlanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// The length of the string that the text begins with, quotes included.
size_t StringLength(std::string_view text) {
  size_t at = 1;
  while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

// The length of the value that the text begins with.
size_t ValueLength(std::string_view text) {
  if (text.front() == '"') return StringLength(text);
  if (text.front() != '{' && text.front() != '[') {
    return std::min(text.find_first_of(",]} \t\n\r"), text.size());
  }
  size_t depth = 0;
  for (size_t at = 0;;) {
    const char c = text[at];
    at += c == '"' ? StringLength(text.substr(at)) : 1;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
}

// Takes a value and what separates it from the next off the front.
std::string_view TakeValue(std::string_view& rest) {
  const std::string_view value = rest.substr(0, ValueLength(rest));
  rest.remove_prefix(value.size());
  SkipBlanks(rest);
  if (!rest.empty() && rest.front() == ',') rest.remove_prefix(1);
  SkipBlanks(rest);
  return value;
}

// Steps into a structure that opens with this bracket; whether there is one.
bool StepInto(std::string_view& rest, char bracket) {
  SkipBlanks(rest);
  if (rest.empty() || rest.front() != bracket) return false;
  rest.remove_prefix(1);
  SkipBlanks(rest);
  return true;
}

bool IsEnd(std::string_view rest) {
  return rest.empty() || rest.front() == '}' || rest.front() == ']';
}

}  // namespace

bool IsJson(std::string_view text) {
  // The parser would take a byte order mark; nobody who goes by slices expects one.
  if (text.substr(0, 3) == "\xEF\xBB\xBF") return false;
  if (text.find('\0') != std::string_view::npos)
    return false;  // Nor what comes after what it takes for the end.
  return nlohmann::json::accept(text);
}

JsonMembers::JsonMembers(std::string_view json) : rest_(json), is_object_(StepInto(rest_, '{')) {}

bool JsonMembers::Next(JsonMember* member) {
  if (!is_object_ || IsEnd(rest_)) return false;
  const size_t name = StringLength(rest_);
  member->name = *JsonString(rest_.substr(0, name));
  rest_.remove_prefix(name);
  SkipBlanks(rest_);
  rest_.remove_prefix(1);  // The colon.
  SkipBlanks(rest_);
  member->value = TakeValue(rest_);
  return true;
}

JsonElements::JsonElements(std::string_view json) : rest_(json), is_array_(StepInto(rest_, '[')) {}

bool JsonElements::Next(std::string_view* element) {
  if (!is_array_ || IsEnd(rest_)) return false;
  *element = TakeValue(rest_);
  return true;
}

std::optional<std::string> JsonString(std::string_view json) {
  SkipBlanks(json);
  if (json.empty() || json.front() != '"') return std::nullopt;
  const std::string_view literal = json.substr(0, StringLength(json));
  if (literal.find('\\') == std::string_view::npos) {
    return std::string(literal.substr(1, literal.size() - 2));
  }
  return nlohmann::json::parse(literal).get<std::string>();
}

void AppendJsonString(std::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  size_t copied = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text, copied, at - copied);
    copied = at + 1;
    if (c == '"' || c == '\\') {
      *out += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      *out += "\\n";
    } else {
      *out += {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
    }
  }
  out->append(text, copied);
  *out += '"';
}

}  // namespace millrace::server
