// What is wrong with a stack file, for editors: each mistake with its place as data. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace stackd::stackfile {

struct Finding {
  std::string file;          // as messages name it; empty: of no one place
  int line = 0, column = 0;  // from 1; bytes
  int end = 0;               // the column behind the value that is wrong, of the same line
  std::string severity;      // error, warning
  std::string message;       // without the place
  std::string suggestion;    // what was meant, when that can be told
};

// Of "FILE:LINE:COLUMN: MESSAGE" lines. `text_of` has a file's text, by the name that messages use; "" when
// it cannot be had.
std::vector<Finding> findings(const std::vector<std::string>& lines, const std::string& severity,
                              const std::function<std::string(const std::string& file)>& text_of);

}  // namespace stackd::stackfile
