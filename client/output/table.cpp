#include "client/output/table.hpp"

#include <algorithm>

#include "client/text.hpp"

namespace stackd::client {

Table::Table(std::vector<std::string> header) {
  rows_.push_back({std::move(header), Tone::bold, -1});
}

void Table::add(std::vector<std::string> cells, Tone tone, int toned) {
  for (auto& cell : cells) cell = clean(cell);
  rows_.push_back({std::move(cells), tone, toned});
}

std::string Table::text(bool colour, int width) const {
  std::vector<int> widths(rows_[0].cells.size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row.cells[i]));
  int before_last = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + 2;

  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      bool last = i + 1 == row.cells.size();
      // A terminal too narrow for the columns before the last wraps: better than losing them.
      std::string cell =
          last && width > before_last + 8 ? fit(row.cells[i], width - before_last) : row.cells[i];
      std::string blanks =
          last ? "" : std::string(static_cast<std::size_t>(widths[i] - display_width(cell) + 2), ' ');
      bool toned = row.toned < 0 || row.toned == static_cast<int>(i);
      line += paint(cell, toned ? row.tone : Tone::plain, colour) + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace stackd::client
