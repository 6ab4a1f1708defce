// BuildRun: Moat's build hooks run, as layers that the engine's builder makes: BuildKit where there is one,
// in a stackd-build that outlives the daemon. What the builder prints becomes the records of the entries, as
// it comes; a layer that was made before is the builder's to find. Control thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/hooks/build_lines.hpp"
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

struct Derived {
  std::string tag;             // of the image to be made
  translate::ImageFacts base;  // what it stands on
  bool no_cache = false;
  bool buildkit = false;  // as far as it is known; the classic builder when it turns out that there is none
};

class BuildRun {
public:
  BuildRun(Tools& tools, BuildOwner owner, int attempt);

  // Rows for all of them; those that an earlier daemon had written are taken over.
  awaitable<void> prepare(std::vector<translate::BuildHook> hooks);
  // The image is there, and this operation made it: what was not written down of it is.
  awaitable<void> close_made();
  awaitable<void> skip_all(std::string why);
  // Builds, or follows what an earlier daemon has begun; throws what made it fail, its hook's record written.
  awaitable<void> run(Derived what);
  // Of entries that failed, and whose on_failure says to go on with a warning.
  std::vector<std::string> warnings() const;

private:
  // One hook of a build that runs.
  struct Layer {
    translate::BuildHook hook;
    store::HookRunRow row;
    std::optional<logs::RunLog> log;
    NewestBytes out{4096}, err{4096};
    std::chrono::steady_clock::time_point began_at{};
    util::TimeMs began = 0, ended = 0;
    bool cached = false, written_began = false, written_ended = false;
    std::optional<int> forgiven;  // it failed, and its on_failure says that this does not count
  };

  std::string id_of(const model::Hook& hook) const;
  awaitable<void> build(Derived what);
  awaitable<bool> build_with_buildkit(Derived what);
  awaitable<void> build_classic(Derived what);
  translate::DerivedBuild plan(const Derived& what, const std::string& from, bool buildkit) const;
  Layer* current();
  awaitable<void> take(std::string line);
  awaitable<void> take(BuildLines::Event event);
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
  std::unique_ptr<BuildLines> lines_;  // of the builder that builds
  async::Signal changed_;
  NewestLine newest_;
  std::string newest_of_;  // the run that it comes from
  std::vector<std::string> secrets_;
  std::vector<Layer> layers_;
  std::optional<util::Error> failure_;
  bool done_ = false, out_of_time_ = false;
};

// Ends what builds the hooks of this step, in the engine too, and takes away what it needed for that; nothing
// to end is success.
awaitable<void> end_build_run(Tools& tools, std::string stack, std::string operation, int step, int attempt);

}  // namespace stackd::hooks
