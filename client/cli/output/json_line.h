// One JSON object on one line, the unit of every -o json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::cli {

// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD each.
std::string JsonString(std::string_view text);

// Builds an object field by field; the fields keep the order of the calls. A value.
class JsonLine {
 public:
  JsonLine& Text(std::string_view name, std::string_view value);
  JsonLine& Number(std::string_view name, int64_t value);
  // Rounded to three decimals.
  JsonLine& Decimal(std::string_view name, double value);
  JsonLine& Bool(std::string_view name, bool value);
  JsonLine& Null(std::string_view name);
  JsonLine& NumberOrNull(std::string_view name, std::optional<int64_t> value);
  // `json` must be a JSON value without line breaks; it is put in as it is.
  JsonLine& Json(std::string_view name, std::string_view json);

  // The object, without a line break. The builder is used up.
  std::string Take();

 private:
  std::string out_ = "{";
};

// Builds an array of JSON values.
class JsonArray {
 public:
  // `json` must be a JSON value without line breaks; it is put in as it is.
  JsonArray& Add(std::string_view json);
  std::string Take();

 private:
  std::string out_ = "[";
};

}  // namespace millrace::cli
