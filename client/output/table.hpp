// Table: rows in columns as wide as they need to be.
#pragma once

#include <string>
#include <vector>

#include "client/output/style.hpp"

namespace stackd::client {

class Table {
public:
  explicit Table(std::vector<std::string> header);

  // Cells are cleaned of escape sequences. `tone` is for the whole row, or for column `toned` alone.
  void add(std::vector<std::string> cells, Tone tone = Tone::plain, int toned = -1);
  // With `width` > 0 the last column is cut to fit it.
  std::string text(bool colour, int width = 0) const;

private:
  struct Row {
    std::vector<std::string> cells;
    Tone tone;
    int toned;
  };
  std::vector<Row> rows_;  // the first is the header
};

}  // namespace stackd::client
