#include "client/cli/output/json_value.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace millrace::cli {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr int64_t kMaxExactInteger = int64_t{1} << 53;

// A decimal number as its significant digits and the power of ten of the last one.
struct Decimal {
  std::string digits;
  int64_t exponent = 0;

  bool operator==(const Decimal&) const = default;
};

// `token` is a JSON number. Its sign is left aside.
Decimal DecimalOf(std::string_view token) {
  Decimal decimal;
  const size_t e = token.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = token.substr(e + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.exponent);
  }
  bool in_fraction = false;
  for (const char c : token.substr(0, e)) {
    if (c == '.') in_fraction = true;
    if (c < '0' || c > '9') continue;
    decimal.digits += c;
    if (in_fraction) --decimal.exponent;
  }
  decimal.digits.erase(0, decimal.digits.find_first_not_of('0'));
  while (decimal.digits.ends_with('0')) {
    decimal.digits.pop_back();
    ++decimal.exponent;
  }
  if (decimal.digits.empty()) decimal.exponent = 0;
  return decimal;
}

// Whether the double that a reader makes of `token` is written back as the same number.
bool DoubleKeeps(double number, std::string_view token) {
  if (!std::isfinite(number)) return false;
  std::array<char, 64> shortest{};
  const auto [end, error] =
      std::to_chars(shortest.data(), shortest.data() + shortest.size(), number);
  return error == std::errc() &&
         DecimalOf({shortest.data(), static_cast<size_t>(end - shortest.data())}) ==
             DecimalOf(token);
}

// Walks a document; every member answers whether to go on.
class ExactnessCheck : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t number) override { return number >= -kMaxExactInteger; }
  bool number_unsigned(number_unsigned_t number) override {
    return number <= static_cast<uint64_t>(kMaxExactInteger);
  }
  bool number_float(number_float_t number, const string_t& token) override {
    return DoubleKeeps(number, token);
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(); }
  bool key(string_t& name) override { return names_.back().insert(std::move(name)).second; }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool Open() {
    names_.emplace_back();
    return names_.size() <= kMaxDepth;
  }
  bool Close() {
    names_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> names_;  // Of every open object or array.
};

std::string WithoutWhiteSpace(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\') {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) out += c;
  }
  return out;
}

}  // namespace

std::optional<std::string> AsJsonDocument(std::string_view value) {
  // The parser would skip a byte order mark, which RFC 8259 does not allow.
  if (value.empty() || value.starts_with("\xEF\xBB\xBF")) return std::nullopt;
  ExactnessCheck check;
  if (!nlohmann::json::sax_parse(value.begin(), value.end(), &check)) return std::nullopt;
  return WithoutWhiteSpace(value);
}

}  // namespace millrace::cli
