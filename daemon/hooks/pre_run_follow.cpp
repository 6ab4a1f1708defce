// Following one start of a container with pre_run hooks: what the container writes becomes records.
#include <algorithm>

#include "daemon/async/task_group.hpp"
#include "daemon/hooks/hook_records.hpp"
#include "daemon/hooks/judge.hpp"
#include "daemon/hooks/pre_run.hpp"
#include "daemon/hooks/pre_run_files.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/process/file_watch.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using util::Error;
using util::ErrorKind;
namespace fs = std::filesystem;

// A log that grows is copied so often at most.
constexpr milliseconds k_copy_interval{250};
constexpr std::chrono::seconds k_end_limit{5};
// Files and events wake; this is for what was held back because it came too fast.
constexpr std::chrono::seconds k_look_interval{1};

std::string short_text(const std::string& text) {
  auto line = std::string(util::trim(text));
  const auto end = line.find('\n');
  const bool more = end != std::string::npos;
  line = line.substr(0, std::min<std::size_t>(end, 80));
  return "'" + line + (more ? " …'" : "'");
}

// Ends what the entry of a container has started, and leaves the entry, which then says how it ended.
std::string end_script(const std::string& pid_file) {
  return "read -r e <'" + pid_file +
         "' || exit 1\n"
         "tree() {\n"
         "  for s in /proc/[0-9]*/stat; do\n"
         "    l=; read -r l <\"$s\" || continue\n"
         "    p=${l%% *}; r=${l##*) }; r=${r#* }; r=${r%% *}\n"
         "    if [ \"$r\" = \"$1\" ]; then ( tree \"$p\" ); kill -KILL \"$p\"; fi\n"
         "  done\n"
         "}\n"
         "tree \"$e\"\n";
}

std::string record_id(const PreRunStart& start, const model::Hook& hook, int attempt) {
  return start.token + "." + std::to_string(start.number) + ".pre_run" + std::to_string(hook.index) + "-" +
         std::to_string(attempt);
}

awaitable<store::HookRunRow> first_row(Tools& tools, model::Hook hook, PreRunStart start, int attempt) {
  auto row = hook_row(tools, start.operation, start.step, hook, record_id(start, hook, attempt));
  row.attempt = attempt;
  row.container = start.container;
  row.definition = resolve::identity_of(hook);
  row.reason = start.number > 0 ? "container-restart" : start.reason;
  if (has_state(hook)) {
    auto work = [hook, directory = pre_run_directory(tools.paths, row.stack_id, start.name)](
                    async::FileWorker&) { return pre_run_inputs(directory, hook); };
    row.definition += "/" + co_await tools.files.run(work);
  }
  co_return row;
}

// One entry of one start, from its first try to its last.
class PreRun {
public:
  PreRun(Tools& tools, model::Stack stack, model::Hook hook, PreRunStart start)
      : tools_(tools),
        stack_(std::move(stack)),
        hook_(std::move(hook)),
        start_(std::move(start)),
        run_(pre_run_directory(tools.paths, stack_.id, start_.name) / "run"),
        woken_(tools.executor) {}

  // The record of the last try, ended.
  awaitable<store::HookRunRow> follow() {
    for (int attempt = 1;; ++attempt) {
      files_ = std::make_shared<EntryFiles>(
          run_, translate::pre_run_name(start_.token, start_.number, hook_.index, attempt));
      auto row = co_await first_row(tools_, hook_, start_, attempt);
      const auto known = co_await known_run(tools_, row.id);
      if (known)
        row = *known;
      else
        co_await begin_run(tools_, row);
      row.started_at = std::max(row.started_at, start_.at);  // it was announced before the container started
      if (row.state == "running") {
        secrets_ = resolve::secret_values(*stack_.spec, *stack_.facts);
        log_.emplace(tools_.files, row, secrets_);
        co_await watch(row);
        row = co_await close(row);
      }
      if (row.state != "failed" || attempt > hook_.retries || died_) co_return row;
    }
  }

private:
  // Until it has ended, or its container has.
  awaitable<void> watch(store::HookRunRow row) {
    process::FileWatch directory(tools_.executor, run_);
    async::TaskGroup watching(tools_.executor);
    watching.spawn("files of " + row.id, [this, &directory]() -> awaitable<void> {
      for (;;) {
        co_await directory.changed();
        woken_.notify();
      }
    });
    watching.spawn("container of " + row.id, [this]() -> awaitable<void> {
      for (;;) {
        co_await tools_.monitor.changed().wait();
        woken_.notify();
      }
    });
    auto waiting = wait(row);
    co_await watching.during(std::move(waiting));
  }

  awaitable<void> wait(store::HookRunRow row) {
    const auto limit = resolve::timeout_of(hook_, stack_.spec->runtime);
    // What passed before this daemon is known by the other clock only.
    const auto began =
        steady_clock::now() - milliseconds(std::max<util::TimeMs>(util::now_ms() - row.started_at, 0));
    for (;;) {
      // First the container: what it wrote before it died is there then.
      died_ = co_await container_is_gone();
      const bool ended = co_await has_ended();
      if (ended || died_) co_return;
      co_await copy_output(row);
      milliseconds pause = k_look_interval;
      if (limit) {
        const auto left = std::chrono::ceil<milliseconds>(began + *limit - steady_clock::now());
        if (left.count() <= 0) {
          co_await end_it();
          co_return;
        }
        pause = std::min(pause, left);
      }
      co_await woken_.wait_for(pause);
    }
  }

  awaitable<bool> has_ended() {
    auto work = [files = files_](async::FileWorker&) { return files->exit_code(); };
    const auto code = co_await tools_.files.run(work);
    if (code) code_ = code;
    co_return code.has_value();
  }

  // The monitor may not have heard of this start yet: what it knows to be dead may be the run before. So the
  // engine is asked, and what it says has ended counts when it ended after the entry had begun.
  awaitable<bool> container_is_gone() {
    auto count = [run = run_, token = start_.token](async::FileWorker&) { return count_starts(run, token); };
    const auto starts = co_await tools_.files.run(count);
    if (starts > start_.number + 1) co_return true;
    const auto state = tools_.monitor.find(start_.container);
    seen_ = seen_ || state.has_value();
    if (state ? !state->dead() : !seen_) co_return false;
    std::optional<docker::ContainerDetails> there;
    try {
      there = co_await tools_.engine.inspect_container(start_.container);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::no_engine) throw;
      co_return false;  // it says when it is back, and then it is asked again
    }
    if (!there) co_return true;
    if (there->running && !there->restarting) co_return false;
    auto look = [run = run_, token = start_.token, number = start_.number](async::FileWorker&) {
      return pre_run_began(run, token, number);
    };
    const auto began = co_await tools_.files.run(look);
    co_return !began || to_milliseconds(there->finished_at) >= *began;
  }

  awaitable<void> end_it() {
    out_of_time_ = true;
    docker::ExecConfig config;
    config.argv = {"/bin/sh", "-c",
                   end_script(pid_file("/.stackd/run", start_.token, start_.number).string())};
    std::string why;
    try {
      co_await tools_.engine.exec(start_.container, config);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine) throw;
      why = e.what();
    }
    const auto until = steady_clock::now() + k_end_limit;
    for (;;) {
      const bool ended = co_await has_ended();
      if (ended) co_return;
      const bool gone = co_await container_is_gone();
      if (gone) co_return;
      if (steady_clock::now() >= until) break;
      co_await woken_.wait_for(milliseconds(100));
    }
    co_await tools_.engine.kill_container(start_.container, "KILL");
  }

  // What it has printed since, into its log and to whoever watches.
  awaitable<void> copy_output(store::HookRunRow row, bool all = false) {
    if (!all && steady_clock::now() - copied_at_ < k_copy_interval) co_return;
    copied_at_ = steady_clock::now();
    auto read = [files = files_](async::FileWorker&) {
      auto out = files->fresh_out();
      return std::pair{std::move(out), files->fresh_err()};
    };
    const auto [out, err] = co_await tools_.files.run(read);
    if (out.empty() && err.empty()) co_return;
    co_await log_->append(out + err);
    const auto lines = util::tail_lines(resolve::mask(err.empty() ? out : err, secrets_), 1);
    if (lines.empty()) co_return;
    tools_.journal.note(stack_.id, row.operation_id, "hook.output",
                        {{"run", row.id},
                         {"phase", row.phase},
                         {"index", row.index},
                         {"service", row.service},
                         {"line", util::valid_utf8(lines.back())}});
  }

  awaitable<store::HookRunRow> close(store::HookRunRow row) {
    co_await has_ended();
    auto read = [files = files_](async::FileWorker&) { return std::pair{files->out(), files->err()}; };
    RunEnd end;
    std::tie(end.out, end.err) = co_await tools_.files.run(read);
    end.exit_code = code_;
    end.state = code_ == 0 && !out_of_time_ ? "succeeded" : "failed";
    if (end.state == "failed") end.reason = words(end);
    co_await copy_output(row, true);
    co_await log_->finish();
    row = co_await end_run(tools_, stack_, row, end);
    // What is to run once, or when something has changed, is not for the engine's own restarts either.
    const bool again = hook_.run == model::RunPolicy::standard || hook_.run == model::RunPolicy::always;
    const auto entry = run_.parent_path() / ("hook-" + std::to_string(hook_.index));
    auto clean = [files = files_, entry, leave_out = row.state == "succeeded" && !again](async::FileWorker&) {
      std::error_code ignored;
      files->remove();
      if (leave_out) fs::remove(entry, ignored);
    };
    co_await tools_.files.run(clean);
    co_return row;
  }

  std::string words(const RunEnd& end) const {
    auto text = hook_.service + " pre_run[" + std::to_string(hook_.index) + "] " + short_text(hook_.shell);
    const auto command = start_.command.empty()
                             ? std::string("the command")
                             : "the command " + short_text(util::join(start_.command, " "));
    if (out_of_time_)
      text += " was out of time and was ended";
    else if (end.exit_code)
      text += " exited with status " + std::to_string(*end.exit_code);
    else
      text += " did not come to its end: the container ended";
    if (resolve::on_failure_of(hook_) == model::OnFailure::fail) text += ", so " + command + " was not run";
    const auto tail = util::join(util::tail_lines(util::trim(end.err).empty() ? end.out : end.err), "\n");
    return text + (tail.empty() ? "" : ": " + tail);
  }

  Tools& tools_;
  model::Stack stack_;
  model::Hook hook_;
  PreRunStart start_;
  fs::path run_;
  async::Signal woken_;
  std::shared_ptr<EntryFiles> files_;  // the files' thread
  std::optional<int> code_;
  bool died_ = false, seen_ = false, out_of_time_ = false;
  std::optional<logs::RunLog> log_;
  std::vector<std::string> secrets_;
  steady_clock::time_point copied_at_{};
};

}  // namespace

awaitable<int> newest_start(Tools& tools, std::string container, fs::path run, std::string token) {
  // Its shell writes before the engine notes when it was started, and after the run before had ended.
  const auto there = co_await tools.engine.inspect_container(container);
  const auto since = there ? to_milliseconds(there->finished_at) : std::string();
  process::FileWatch changes(tools.executor, run);
  const auto until = steady_clock::now() + k_first_line;
  auto look = [run, token](async::FileWorker&) {
    const int number = std::max(1, count_starts(run, token) - 1);
    return std::pair{number, pre_run_began(run, token, number)};
  };
  for (;;) {
    const auto [number, began] = co_await tools.files.run(look);
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if ((began && *began >= since) || left.count() <= 0) co_return number;
    co_await changes.changed_within(left);
  }
}

awaitable<void> announce_pre_run(Tools& tools, const model::Hook& hook, PreRunStart start) {
  const auto row = co_await first_row(tools, hook, start, 1);
  const auto known = co_await known_run(tools, row.id);
  if (!known) co_await begin_run(tools, row);
}

awaitable<store::HookRunRow> follow_pre_run(Tools& tools, model::Stack stack, model::Hook hook,
                                            PreRunStart start) {
  // Whoever comes second finds the record of the first.
  async::NameLock lock(tools.following);
  co_await lock.take(translate::pre_run_name(start.token, start.number, hook.index, 1));
  PreRun run(tools, std::move(stack), std::move(hook), std::move(start));
  co_return co_await run.follow();
}

}  // namespace stackd::hooks
