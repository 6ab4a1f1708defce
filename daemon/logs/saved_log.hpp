// What a container wrote, saved before stackd removes it (semantics.md, X35):
//
//   <home>/stacks/<id>/logs/saved/<service>/<number>-<first 12 of the container>.log    "<time> <o|e> <text>"
//                                                                           ….json   what is known of it
//
// Small logs whole; of others the first lines, and the last by the engine's `tail`. The second file is
// written last: without it there is no saved log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/file_thread.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/util/time.hpp"

namespace stackd::logs {

struct SavedLog {
  std::string service;
  int number = 1;
  util::TimeMs saved_at = 0;
  std::filesystem::path file;
  std::uint64_t first = 0;               // lines before the gap; 0 is no gap
  std::optional<std::uint64_t> between;  // how many are left out there; nothing: nobody has counted them
  std::string note;                      // why there is nothing, or not all
};

struct ToSave {
  std::filesystem::path stack;  // its directory
  std::string service;
  int number = 1;
  std::string id;
  bool tty = false;
  std::uint64_t limit = 10'000'000;  // bytes
  std::vector<std::string> secrets;  // masked on disk too
};

std::filesystem::path saved_log_path(const std::filesystem::path& stack, const std::string& service,
                                     int number, const std::string& container);

// Of a container that is still there; what the engine refuses to give is noted. Safe to repeat: what was
// saved before is replaced. Throws io, and what the engine's socket throws.
awaitable<void> save_log(docker::Engine& engine, async::FileThread& files, ToSave what);
// Of one that is gone: a sentence in the place of its log, unless that was saved. Blocks.
void note_unsaved(const ToSave& what, const std::string& note, const std::string& text);

// All of a service, oldest first; "" is of every service. Blocks.
std::vector<SavedLog> saved_logs(const std::filesystem::path& stack, const std::string& service);
// Its lines, as they were written. Blocks, a piece at a time.
struct SavedLine {
  std::string time, text;
  bool err = false;
};
std::optional<SavedLine> parse_saved_line(std::string_view line);

}  // namespace stackd::logs
