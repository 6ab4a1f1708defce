// A Manager of the test's own behind the API: stacks::Manager's methods (fake_manager_test.cpp) answer from
// this struct, so that neither an engine nor a store is needed. Used on the loop's thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {

struct Parts {
  explicit Parts(asio::any_io_executor executor) : changed(executor) {}

  std::vector<proto::Stack> stacks;
  std::map<std::string, proto::Operation> operations;
  std::vector<proto::HookRun> hooks;
  std::vector<proto::LogLine> lines;
  std::vector<std::string> log;      // pieces of a hook's log, each kept from the byte after those before it
  std::vector<proto::Event> events;  // those with a sequence
  std::vector<proto::Event> notes;   // passed on when they are appended
  std::map<std::string, std::string> environment;
  proto::Info info;
  std::optional<util::Error> refusal;  // what every call throws
  async::Signal changed;

  // What was asked.
  proto::UpRequest up;
  proto::DownRequest down;
  proto::PlanRequest plan;
  proto::ServicesRequest services;
  proto::ImagesRequest images;
  proto::LogsRequest logs;
  proto::ExecRequest exec;
  proto::RunRequest run;
  std::string verb, stack, group, key;
  int limit = 0;
  bool secrets = false;
  int streaming = 0;  // calls of logs(), hook_log() and events() that run
  int waiting = 0;    // calls of wait() that run

  void add_event(const std::string& operation, const std::string& kind,
                 nlohmann::json data = nlohmann::json::object());
  void add_note(const std::string& operation, const std::string& kind, nlohmann::json data);
  void end_operation(const std::string& id, const std::string& state);
};

}  // namespace stackd::stacks
