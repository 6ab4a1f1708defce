// Marks: where one run of a service ends and the next begins, so that its log reads as one stream over
// restarts, replacements and roll-backs. One line each in <home>/stacks/<id>/marks.log:
//
//   <RFC 3339>\t<service>\t<number>\t— web restarted: process-exit —
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/async/file_thread.hpp"

namespace stackd::logs {

struct Mark {
  std::string at, service, text;
  int number = 1;
};

std::filesystem::path marks_path(const std::filesystem::path& stack);
std::optional<Mark> parse_mark(std::string_view line);
// "— web restarted: process-exit —", "— web-2 replaced —".
std::string mark_text(const std::string& service, int number, const std::string& what);

// Written now; that it cannot be is no reason for anything to fail.
awaitable<void> write_mark(async::FileThread& files, std::filesystem::path stack, std::string service,
                           int number, std::string what);

}  // namespace stackd::logs
