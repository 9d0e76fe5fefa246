#include "client/cli/output/table.h"

#include <algorithm>
#include <utility>

#include "client/cli/output/terminal.h"

namespace millrace::cli {
namespace {

constexpr size_t kGap = 2;

// The columns that a terminal needs for UTF-8 text of single-width characters.
size_t Width(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

std::string OrDash(std::optional<int64_t> number) { return number ? std::to_string(*number) : "-"; }

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::Render(bool colour) const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = Width(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, Width(row[c]));
    widths.push_back(width);
  }
  const auto line = [&](auto&& cell_of) {
    std::string out;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string_view cell = cell_of(c);
      const std::string padding(widths[c] - Width(cell), ' ');
      if (columns_[c].align == Align::kRight) out += padding;
      out += cell;
      if (c + 1 == columns_.size()) break;
      if (columns_[c].align == Align::kLeft) out += padding;
      out.append(kGap, ' ');
    }
    return out;
  };
  std::string out = Bold(line([&](size_t c) { return columns_[c].title; }), colour) + "\n";
  for (const auto& row : rows_) {
    out += line([&](size_t c) -> std::string_view { return row[c]; }) + "\n";
  }
  return out;
}

std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields,
                         bool colour) {
  size_t width = 0;
  for (const auto& [name, value] : fields) width = std::max(width, Width(name));
  std::string out;
  for (const auto& [name, value] : fields) {
    out += Bold(name + ":", colour) + std::string(width - Width(name) + kGap, ' ') + value + "\n";
  }
  return out;
}

}  // namespace millrace::cli
