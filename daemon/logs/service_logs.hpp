// Service logs: one stream a service, whatever its containers and runs were: what was saved of containers
// that are gone (saved_log.hpp), what the engine has of those that are there, a process's file, and a mark at
// each boundary (marks.hpp). What was written is merged by time; what follows comes as it is written. Control
// thread.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/file_thread.hpp"
#include "daemon/docker/engine.hpp"
#include "proto/types.hpp"

namespace stackd::logs {

// `stream` of a line that nobody of the stack wrote: a boundary, or what is missing.
inline constexpr const char* k_mark = "mark";

struct ContainerSource {
  std::string service;
  int number = 1;
  std::string id;
  bool tty = false;
  bool running = false;
  std::string run;  // another one is another run: it writes again
};
struct ProcessSource {
  std::string service;
  std::filesystem::path file;
};
struct Sources {
  std::filesystem::path stack;        // its directory
  std::vector<std::string> services;  // that were asked for
  std::vector<ContainerSource> containers;
  std::vector<ProcessSource> processes;
  bool over = false;  // nothing of it runs, and nothing is under way
};

// How one goes on: what is there now, and until that may be something else.
struct Following {
  std::function<awaitable<Sources>()> look;
  std::function<awaitable<void>()> changed;
};

// Until all ends were reached; with `follow` until the stack is down, or for ever with `keep`. `secrets` are
// masked. The sink may suspend (flow control: then less is read), and throwing from it ends the call.
using LineSink = std::function<awaitable<void>(proto::LogLine)>;
struct Readers {
  docker::Engine& engine;
  async::FileThread& files;
};
awaitable<void> read_logs(Readers readers, Sources sources, proto::LogsRequest request,
                          std::vector<std::string> secrets, Following following, LineSink sink);

}  // namespace stackd::logs
