// says(): whether a text has a part. Screen: what a terminal shows after the bytes that stackctl writes:
// text, newline, carriage return, cursor up, an emptied row, synchronised updates. Anything else is a
// failure.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "client/text.hpp"

namespace stackd::test {

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Screen {
public:
  explicit Screen(int columns) : columns_(columns) {}

  void write(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
      if (bytes[i] == '\n') {
        ++row_;
        column_ = 0;
        ++i;
      } else if (bytes[i] == '\r') {
        column_ = 0;
        ++i;
      } else if (bytes[i] == '\x1b') {
        i = escape(bytes, i);
      } else {
        std::size_t end = bytes.find_first_of("\n\r\x1b", i);
        put(bytes.substr(i, end - i));
        i = std::min(end, bytes.size());
      }
    }
  }

  // Rows without blanks at their end, the last empty ones left out.
  std::vector<std::string> rows() const {
    auto rows = rows_;
    for (auto& row : rows) row.erase(row.find_last_not_of(' ') + 1);
    while (!rows.empty() && rows.back().empty()) rows.pop_back();
    return rows;
  }
  bool wrapped() const { return wrapped_; }
  bool cursor() const { return cursor_; }

private:
  std::size_t escape(std::string_view bytes, std::size_t i) {
    if (bytes.substr(i, 3) == "\x1b[?") return mode(bytes, i);
    std::size_t end = bytes.find_first_not_of("0123456789;", i + 2);
    if (bytes.substr(i, 2) != "\x1b[" || end == std::string_view::npos)
      throw std::runtime_error("unknown escape sequence");
    std::string argument(bytes.substr(i + 2, end - i - 2));
    if (bytes[end] == 'A') {
      std::size_t up = std::stoul(argument);
      if (up > row_) throw std::runtime_error("the cursor left the screen");
      row_ -= up;
    } else if (bytes[end] == 'K') {
      if (column_ != 0) throw std::runtime_error("erases behind text");
      if (row_ < rows_.size()) rows_[row_].clear();
    } else if (bytes[end] != 'm') {
      throw std::runtime_error("unknown escape sequence");
    }
    return end + 1;
  }

  // Synchronised updates, and the cursor.
  std::size_t mode(std::string_view bytes, std::size_t i) {
    const std::size_t end = bytes.find_first_of("hl", i);
    const auto number = bytes.substr(i + 3, end - i - 3);
    if (number == "25") cursor_ = bytes[end] == 'h';
    if (number == "2026" && updating_ == (bytes[end] == 'h'))
      throw std::runtime_error("updates are not paired");
    if (number == "2026") updating_ = bytes[end] == 'h';
    return end + 1;
  }

  void put(std::string_view text) {
    if (!updating_) throw std::runtime_error("a text outside an update");
    if (rows_.size() <= row_) rows_.resize(row_ + 1);
    if (column_ != 0 && static_cast<int>(column_) != client::display_width(rows_[row_]))
      throw std::runtime_error("overwrites");
    rows_[row_] = column_ == 0 ? std::string(text) : rows_[row_] + std::string(text);
    column_ = static_cast<std::size_t>(client::display_width(rows_[row_]));
    if (static_cast<int>(column_) > columns_) wrapped_ = true;
  }

  int columns_;
  std::vector<std::string> rows_;
  std::size_t row_ = 0, column_ = 0;
  bool wrapped_ = false, cursor_ = true, updating_ = false;
};

}  // namespace stackd::test
