// Following one start of a container with pre_run hooks: what the container writes becomes records. It is
// read with care: its user may be anybody.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/async/task_group.hpp"
#include "daemon/hooks/hook_records.hpp"
#include "daemon/hooks/pre_run.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/process/file_watch.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {
namespace {

using util::Error;
using util::ErrorKind;
namespace fs = std::filesystem;

constexpr std::size_t k_log_limit = 1'000'000;
// A log that grows is copied so often at most.
constexpr std::chrono::milliseconds k_copy_interval{250};
constexpr std::chrono::seconds k_end_limit{5};
// Files and events wake; this is for what was held back because it came too fast.
constexpr std::chrono::seconds k_look_interval{1};

// What should be a plain file, from byte `from` on, of that the newest bytes; nothing for anything else, and
// never a wait. `from` becomes its size.
std::optional<std::string> read_on(const fs::path& path, std::size_t& from, std::size_t most = k_log_limit) {
  util::Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  const auto size = static_cast<std::size_t>(found.st_size);
  std::string text(std::min(size - std::min(size, from), most), '\0');
  const auto offset = static_cast<off_t>(size - text.size());
  const auto got = ::pread(fd.get(), text.data(), text.size(), offset);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  from = size;
  return text;
}

std::optional<std::string> read_result(const fs::path& path, std::size_t most = k_log_limit) {
  std::size_t from = 0;
  return read_on(path, from, most);
}

// As the engine writes times, "2026-08-01T09:30:00.123456789Z", as far as a comparison needs it.
std::string to_milliseconds(const std::string& time) {
  constexpr std::size_t k_length = 23;
  return time.substr(0, k_length);
}

fs::path pid_file(const fs::path& run, const std::string& token, int start) {
  return run / (token + "." + std::to_string(start) + ".pid");
}

// When a file was written, in the engine's words: pre_run has the engine on this machine, so it is one clock.
std::optional<std::string> written_at(const fs::path& file) {
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0) return std::nullopt;
  return to_milliseconds(
      util::format_time(found.st_mtim.tv_sec * 1000LL + found.st_mtim.tv_nsec / 1'000'000));
}

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

store::HookRunRow first_row(const Tools& tools, const model::Hook& hook, const PreRunStart& start,
                            int attempt) {
  auto row = hook_row(tools, start.operation, start.step, hook, record_id(start, hook, attempt));
  row.attempt = attempt;
  row.container = start.container;
  row.definition = resolve::identity_of(hook);
  if (hook.run == model::RunPolicy::changed)
    row.definition += "/" + pre_run_inputs(pre_run_directory(tools.paths, row.stack_id, start.name), hook);
  row.reason = start.number > 0 ? "container-restart" : start.reason;
  return row;
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
      name_ = translate::pre_run_name(start_.token, start_.number, hook_.index, attempt);
      auto row = first_row(tools_, hook_, start_, attempt);
      const auto known = co_await known_run(tools_, row.id);
      if (known)
        row = *known;
      else
        co_await begin_run(tools_, row);
      row.started_at = std::max(row.started_at, start_.at);  // it was announced before the container started
      if (row.state == "running") {
        out_.copied = err_.copied = 0;
        secrets_ = resolve::secret_values(*stack_.spec, *stack_.facts);
        log_.emplace(logs::link_run_log(row), secrets_, attempt == 1);
        co_await watch(row);
        row = co_await close(row);
      }
      if (row.state != "failed" || attempt > hook_.retries || died_) co_return row;
    }
  }

private:
  std::string file(const char* suffix) const { return (run_ / (name_ + suffix)).string(); }

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
    for (;;) {
      // First the container: what it wrote before it died is there then.
      died_ = co_await container_is_gone();
      if (has_ended() || died_) co_return;
      copy_output(row);
      std::chrono::milliseconds pause = k_look_interval;
      if (limit) {
        const auto left = row.started_at + limit->count() - util::now_ms();
        if (left <= 0) {
          co_await end_it();
          co_return;
        }
        pause = std::min(pause, std::chrono::milliseconds(left));
      }
      co_await woken_.wait_for(pause);
    }
  }

  bool has_ended() {
    const auto text = read_result(file(".exit"), 64);
    if (!text || !text->ends_with('\n')) return false;
    code_ = std::atoi(text->c_str());
    return true;
  }

  // The monitor may not have heard of this start yet: what it knows to be dead may be the run before. So the
  // engine is asked, and what it says has ended counts when it ended after the entry had begun.
  awaitable<bool> container_is_gone() {
    if (count_starts(run_, start_.token) > start_.number + 1) co_return true;
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
    const auto began = written_at(pid_file(run_, start_.token, start_.number));
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
    const auto until = util::now_ms() + std::chrono::milliseconds(k_end_limit).count();
    for (bool gone = false; !has_ended() && !gone;) {
      if (util::now_ms() >= until) {
        co_await tools_.engine.kill_container(start_.container, "KILL");
        break;
      }
      co_await woken_.wait_for(std::chrono::milliseconds(100));
      gone = co_await container_is_gone();
    }
  }

  // What it has printed since, into its log and to whoever watches.
  void copy_output(const store::HookRunRow& row, bool all = false) {
    if (!all && util::now_ms() - copied_at_ < k_copy_interval.count()) return;
    copied_at_ = util::now_ms();
    std::string fresh;
    for (auto* stream : {&out_, &err_}) {
      const auto text = read_on(file(stream->suffix), stream->copied).value_or("");
      if (text.empty()) continue;
      log_->append(text);
      fresh = text;
    }
    const auto lines = util::tail_lines(resolve::mask(fresh, secrets_), 1);
    if (lines.empty()) return;
    tools_.journal.note(stack_.id, row.operation_id, "hook.output",
                        {{"run", row.id},
                         {"phase", row.phase},
                         {"index", row.index},
                         {"service", row.service},
                         {"line", util::valid_utf8(lines.back())}});
  }

  awaitable<store::HookRunRow> close(store::HookRunRow row) {
    has_ended();
    RunEnd end;
    end.out = read_result(file(".out")).value_or("");
    end.err = read_result(file(".err")).value_or("");
    end.exit_code = code_;
    end.state = code_ == 0 && !out_of_time_ ? "succeeded" : "failed";
    if (end.state == "failed") end.reason = words(end);
    copy_output(row, true);
    log_->finish();
    logs::link_run_log(row);
    row = co_await end_run(tools_, stack_, row, end);
    std::error_code ignored;
    for (const auto* suffix : {".out", ".err", ".exit"}) fs::remove(file(suffix), ignored);
    // What is to run once, or when something has changed, is not for the engine's own restarts either.
    const bool again = hook_.run == model::RunPolicy::standard || hook_.run == model::RunPolicy::always;
    if (row.state == "succeeded" && !again)
      fs::remove(run_.parent_path() / ("hook-" + std::to_string(hook_.index)), ignored);
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
  std::string name_;
  std::optional<int> code_;
  bool died_ = false, seen_ = false, out_of_time_ = false;
  struct Stream {
    const char* suffix;
    std::size_t copied = 0;
  };
  Stream out_{".out"}, err_{".err"};
  std::optional<logs::RunLog> log_;
  std::vector<std::string> secrets_;
  util::TimeMs copied_at_ = 0;
};

}  // namespace

fs::path inputs_file(const fs::path& directory, const model::Hook& hook) {
  return directory / ("inputs-" + std::to_string(hook.index));
}

std::string pre_run_inputs(const fs::path& directory, const model::Hook& hook) {
  return util::read_file_if_there(inputs_file(directory, hook)).value_or("");
}

std::string token_of(const fs::path& directory) {
  const auto text = util::read_file_if_there(directory / "start").value_or("");
  return text.substr(0, text.find_first_of(" \n"));
}

int count_starts(const fs::path& run, const std::string& token) {
  const auto text = read_result(run / (token + ".starts"));
  return text ? static_cast<int>(std::count(text->begin(), text->end(), '\n')) : 0;
}

awaitable<int> newest_start(Tools& tools, std::string container, fs::path run, std::string token) {
  // Its shell writes before the engine notes when it was started, and after the run before had ended.
  const auto there = co_await tools.engine.inspect_container(container);
  const auto since = there ? to_milliseconds(there->finished_at) : std::string();
  process::FileWatch changes(tools.executor, run);
  const auto until = std::chrono::steady_clock::now() + k_first_line;
  for (;;) {
    const int number = std::max(1, count_starts(run, token) - 1);
    const auto began = written_at(pid_file(run, token, number));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if ((began && *began >= since) || left.count() <= 0) co_return number;
    co_await changes.changed_within(left);
  }
}

awaitable<void> announce_pre_run(Tools& tools, const model::Hook& hook, PreRunStart start) {
  const auto row = first_row(tools, hook, start, 1);
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
