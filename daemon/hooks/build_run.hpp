// BuildRun: Moat's build hooks run, as layers that the engine's builder makes. What the builder prints
// becomes the records of the entries, as it comes; a layer that was made before is the builder's to find.
// Control thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/docker/build_output.hpp"
#include "daemon/hooks/hook_records.hpp"
#include "daemon/hooks/newest.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/util/error.hpp"

namespace stackd::hooks {

// Whose hooks they are: the step that builds.
struct BuildOwner {
  store::OperationRow operation;
  int step = -1;
  std::string service;
  model::Stack stack;
};

class BuildRun {
public:
  BuildRun(Tools& tools, BuildOwner owner, int attempt);

  // Rows for all of them; those that an earlier daemon had written are taken over. `steps`: the builder's
  // step of each.
  awaitable<void> prepare(std::vector<translate::BuildHook> hooks, std::vector<int> steps);
  // The image is there, and this operation made it: what was not written down of it is.
  awaitable<void> close_made();
  awaitable<void> skip_all(std::string why);
  // Builds; throws what made it fail, its hook's record written.
  awaitable<void> run(std::string dockerfile, std::string tag, bool no_cache);
  // Of entries that failed, and whose on_failure says to go on with a warning.
  std::vector<std::string> warnings() const;

private:
  // One hook of a build that runs.
  struct Layer {
    translate::BuildHook hook;
    int step = 0;  // of the builder's
    store::HookRunRow row;
    std::optional<logs::RunLog> log;
    NewestBytes out{4096}, err{4096};
    std::chrono::steady_clock::time_point began_at{};
    util::TimeMs began = 0, ended = 0;
    bool cached = false, written_began = false, written_ended = false;
    std::optional<int> forgiven;  // it failed, and its on_failure says that this does not count
  };

  std::string id_of(const model::Hook& hook) const;
  awaitable<void> build(std::string dockerfile, std::string tag, bool no_cache);
  Layer* layer_of(int step);
  awaitable<void> take(std::string line);
  void note_line(const std::string& line);
  awaitable<void> watch(async::TaskGroup& building);
  Layer* unwritten();
  awaitable<void> write_progress(Layer& layer);
  awaitable<void> write_done(Layer& layer);
  awaitable<void> write_end(Layer& layer, RunEnd end);
  std::optional<std::chrono::milliseconds> time_left();
  std::string words_of(const Layer& layer, int code) const;
  awaitable<void> close_all();

  Tools& tools_;
  BuildOwner owner_;
  int attempt_ = 1;
  docker::BuildOutput output_;
  async::Signal changed_;
  NewestLine newest_;
  std::string newest_of_;  // the run that it comes from
  std::vector<std::string> secrets_;
  std::vector<Layer> layers_;
  std::optional<util::Error> failure_;
  bool done_ = false, out_of_time_ = false;
};

}  // namespace stackd::hooks
