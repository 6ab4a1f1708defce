// Builds: images by the engine's BuildKit, each in a stackd-build of its own under a shim. So the daemon's
// death ends no build, and the daemon that comes back finds it or its result, by the same directory. Control
// thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/docker/engine.hpp"
#include "daemon/dotdocker/config_file.hpp"
#include "daemon/images/build_request.hpp"
#include "daemon/process/runs.hpp"

namespace stackd::images {

struct Build {
  std::filesystem::path run;           // of its run; a second one, after the first was lost, is beside it
  std::filesystem::path log;           // the whole of it, as `docker build --progress plain` prints it
  BuildRequest request;                // engines and api are filled in here
  dotdocker::Environment environment;  // the caller's, and what secrets are in it
  std::vector<std::string> secrets;    // shown as "***" wherever the daemon writes
  docker::LineSink line = nullptr;     // its log, as it comes
};

class Builds {
public:
  Builds(asio::any_io_executor executor, docker::Engine& engine, process::Runs& runs,
         async::FileThread& files, std::filesystem::path program);

  // Whether the engine builds with BuildKit, as far as it is known before it was asked to, and the caller
  // wants it (DOCKER_BUILDKIT=0).
  awaitable<bool> has_buildkit(dotdocker::Environment caller);
  // False when the engine turns out to have no BuildKit. Throws failed, its details the failed instruction's
  // last lines and where the log is; no_engine when the engine broke off. Cancelled, the build goes on.
  awaitable<bool> build(Build what);
  // Ends it, in the engine too; one that is not there or is over is success.
  awaitable<void> end(std::filesystem::path run);

private:
  awaitable<process::RunExit> follow(Build what, std::filesystem::path run);
  asio::any_io_executor executor_;
  docker::Engine& engine_;
  process::Runs& runs_;
  async::FileThread& files_;
  std::filesystem::path program_;
};

// What is left to read of a failed build: its reason, and the lines before that.
struct BuildFailure {
  std::string reason;
  std::vector<std::string> lines;
};
BuildFailure failure_in(const std::string& err_tail);

}  // namespace stackd::images
