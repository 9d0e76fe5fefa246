#include "client/cli/output/json_line.h"

#include <array>
#include <cstdio>
#include <utility>

#include "client/cli/output/utf8.h"

namespace millrace::cli {
namespace {

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          std::array<char, 8> escape{};
          std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
          out += escape.data();
        } else {
          out += c;
        }
    }
  }
}

std::string WithoutBrokenUtf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t length = 1;
    while (length < 4 && length < text.size() && !IsUtf8(text.substr(0, length))) ++length;
    if (IsUtf8(text.substr(0, length))) {
      out += text.substr(0, length);
    } else {
      out += "\xEF\xBF\xBD";
      length = 1;
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  if (IsUtf8(text)) {
    AppendEscaped(text, out);
  } else {
    AppendEscaped(WithoutBrokenUtf8(text), out);
  }
  out += '"';
  return out;
}

JsonLine& JsonLine::Text(std::string_view name, std::string_view value) {
  return Json(name, JsonString(value));
}

JsonLine& JsonLine::Number(std::string_view name, int64_t value) {
  return Json(name, std::to_string(value));
}

JsonLine& JsonLine::Decimal(std::string_view name, double value) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%.3f", value);
  return Json(name, out.data());
}

JsonLine& JsonLine::Bool(std::string_view name, bool value) {
  return Json(name, value ? "true" : "false");
}

JsonLine& JsonLine::Null(std::string_view name) { return Json(name, "null"); }

JsonLine& JsonLine::NumberOrNull(std::string_view name, std::optional<int64_t> value) {
  return value ? Number(name, *value) : Null(name);
}

JsonLine& JsonLine::Json(std::string_view name, std::string_view json) {
  if (out_.size() > 1) out_ += ',';
  out_ += JsonString(name);
  out_ += ':';
  out_ += json;
  return *this;
}

std::string JsonLine::Take() {
  out_ += '}';
  return std::move(out_);
}

JsonArray& JsonArray::Add(std::string_view json) {
  if (out_.size() > 1) out_ += ',';
  out_ += json;
  return *this;
}

std::string JsonArray::Take() {
  out_ += ']';
  return std::move(out_);
}

}  // namespace millrace::cli
