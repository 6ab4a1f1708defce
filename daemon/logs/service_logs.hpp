// Service logs: a container's from the engine, a process's from its file, as one stream of lines. Control
// thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "daemon/async/file_thread.hpp"
#include "daemon/docker/engine.hpp"
#include "proto/types.hpp"

namespace stackd::logs {

struct ContainerSource {
  std::string service;
  int number = 1;
  std::string id;
  bool tty = false;
};
struct ProcessSource {
  std::string service;
  std::filesystem::path file;
};
struct Sources {
  std::vector<ContainerSource> containers;
  std::vector<ProcessSource> processes;
};

// Merged; runs until all ends were reached, or for ever with `follow`. `secrets` are masked. The sink may
// suspend (flow control: then less is read), and throwing from it ends the call.
using LineSink = std::function<awaitable<void>(proto::LogLine)>;
struct Readers {
  docker::Engine& engine;
  async::FileThread& files;
};
awaitable<void> read_logs(Readers readers, Sources sources, proto::LogsRequest request,
                          std::vector<std::string> secrets, LineSink sink);

}  // namespace stackd::logs
