// Columns for a person to read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::cli {

enum class Align { kLeft, kRight };

struct Column {
  std::string_view title;
  Align align = Align::kLeft;
};

// What a cell shows of a number that may be missing.
std::string OrDash(std::optional<int64_t> number);

// Rows of text under titles, each column as wide as its widest cell. Nothing is ever cut.
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // `cells` has one text for each column.
  void Add(std::vector<std::string> cells);

  // The titles, bold where `colour`, and the rows, each on a line.
  std::string Render(bool colour) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "name:  value" lines, the values below one another.
std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields,
                         bool colour);

}  // namespace millrace::cli
