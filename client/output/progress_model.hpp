// ProgressModel: what an operation's events say, put together: one entry a service, the hooks that run, and
// lines to be shown once. It writes nothing; the renderers do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/output/style.hpp"
#include "proto/types.hpp"

namespace stackd::client {

class ProgressModel {
public:
  static constexpr std::size_t k_lines = 3;  // of what something writes, the newest
  struct Hook {
    std::string run, label, command, service;
    std::int64_t started = 0;  // milliseconds since 1970, as all times here
    std::vector<std::string> lines = {};
  };
  struct Service {
    std::string name, status, reason;
    std::string activity;  // the step that runs: "pulling"
    std::string detail;    // its newest line
    std::int64_t started = 0;
    std::optional<std::int64_t> settled;  // when it came to rest
    std::int64_t active = 0;              // when the step that runs began
    std::vector<std::string> lines = {};  // what a build wrote
  };
  struct Change {
    std::vector<Line> lines;  // to be shown once, above everything live
    std::string service;      // whose entry has a new status or activity; "" none
  };

  // `now`: for events whose own time cannot be read.
  Change apply(const proto::Event& event, std::int64_t now);

  // Services of which nothing was heard yet: they wait for others.
  void expect(const proto::Operation& operation, std::int64_t now);

  // Of the operation; empty before it was heard of.
  const std::string& stack() const { return stack_; }
  const std::string& kind() const { return kind_; }
  std::int64_t began() const { return began_; }
  const std::vector<Service>& services() const { return services_; }
  const std::vector<Hook>& hooks() const { return hooks_; }
  const Service* find(const std::string& name) const;
  // What a service whose steps cannot begin yet needs first: services, hooks and what they share, each once.
  std::vector<std::string> needs_of(const std::string& service) const;
  // "starting", "pulling", "ready" …
  static std::string state_of(const Service& service);

private:
  Service& service(const std::string& name, std::int64_t at);
  Change on_step(const std::string& kind, const nlohmann::json& data, std::int64_t at);
  Change set_status(const std::string& name, const std::string& status, const std::string& reason,
                    std::int64_t at);
  void settle_tail(const nlohmann::json& data, Change& change);
  Change on_hook(const std::string& kind, const nlohmann::json& data, std::int64_t at);

  std::string stack_, kind_;
  std::int64_t began_ = 0;
  std::vector<Service> services_;  // in the order they first appeared
  std::vector<Hook> hooks_;
  std::map<std::string, proto::StepView> planned_;  // by key; their states are kept up to date
  // Of failed hooks, until it is known whether the operation fails by them.
  struct Tail {
    std::string service;
    std::vector<Line> lines;
  };
  std::vector<Tail> tails_;
};

// "after_up[0]", "api.after_ready[1]".
std::string hook_label(const std::string& service, const std::string& phase, int index);
// What is shown when a hook has ended, whatever its outcome: one line, then its stderr's tail indented, and
// where the whole log is when it failed.
std::vector<Line> hook_lines(const proto::HookRun& run);

}  // namespace stackd::client
