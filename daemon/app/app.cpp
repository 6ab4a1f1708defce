#include "daemon/app/app.hpp"
#include "daemon/plan/step_kinds.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "daemon/api/routes.hpp"
#include "daemon/async/loop.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/dotdocker/engine_choice.hpp"
#include "daemon/http/listener.hpp"
#include "daemon/http/server.hpp"
#include "daemon/keeper/keeper.hpp"
#include "daemon/keeper/pre_run_starts.hpp"
#include "daemon/logs/marks.hpp"
#include "daemon/logs/saved_log.hpp"
#include "daemon/stacks/attended/execs.hpp"
#include "daemon/stacks/attended/one_offs.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/systemd/listen_fds.hpp"
#include "daemon/systemd/notify.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::app {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::chrono::hours k_prune_interval{1};
// Nothing was written for so long: what was going on is over.
constexpr std::chrono::milliseconds k_quiet{2000};

util::FileLock lock_home(const std::filesystem::path& home) {
  util::make_directories(home, 0700);
  std::filesystem::permissions(home, std::filesystem::perms::owner_all);  // somebody else may have made it
  auto lock = util::FileLock::try_acquire(home / "lock");
  if (!lock)
    throw Error(ErrorKind::conflict,
                "cannot use '" + home.string() +
                    "': another stackd runs with it; stop that one, or set STACKD_HOME to another directory");
  return std::move(*lock);
}

// Made once, read by TCP clients (mode 0600).
std::string bearer_token(const std::filesystem::path& home) {
  const auto file = home / "token";
  auto token = util::read_file_if_there(file);
  if (!token || token->empty()) {
    token = util::random_hex(64);
    util::write_file(file, *token + "\n", 0600);
  }
  using std::filesystem::perms;
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write);
  while (!token->empty() && token->back() == '\n') token->pop_back();
  return *token;
}

// Before anything runs: it looks at files.
dotdocker::EngineChoice choose(const config::Settings& settings) {
  if (!settings.docker_host.empty()) return {settings.docker_host, settings.docker_host_from};
  dotdocker::Environment environment;
  for (const char* name : {"HOME", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR"})
    if (const char* value = std::getenv(name)) environment[name] = value;
  auto choice = dotdocker::choose_engine(environment);
  if (!choice.warning.empty()) spdlog::warn("{}", choice.warning);
  return choice;
}

// Every part of the daemon, in the order in which it is built; it goes away in reverse.
class App {
public:
  App(const config::Settings& settings, const Prepare& prepare)
      : settings_(settings),
        lock_(lock_home(settings.home)),
        loop_(),
        paths_{settings.home},
        journal_(executor(), settings.home / "state.db"),
        chosen_(choose(settings)),
        engine_(executor(), chosen_.host),
        runs_(executor(), settings.shim, files_,
              {static_cast<std::uint64_t>(settings.service_log_size), settings.service_logs_kept}),
        monitor_(executor(), engine_),
        models_(journal_, user_files_),
        picture_(executor(), journal_, monitor_, models_, runs_, waits_, picture_kinds()),
        transfers_(executor(), engine_, user_files_),
        builds_(executor(), engine_, runs_, files_, settings.shim.parent_path() / "stackd-build"),
        hook_tools_{executor(),
                    journal_,
                    engine_,
                    transfers_,
                    builds_,
                    runs_,
                    files_,
                    user_files_,
                    monitor_,
                    paths_,
                    std::make_shared<async::NameLocks>(executor())},
        hooks_(hook_tools_),
        step_tools_{executor(),
                    journal_,
                    engine_,
                    transfers_,
                    builds_,
                    runs_,
                    files_,
                    user_files_,
                    monitor_,
                    models_,
                    waits_,
                    hook_tools_,
                    hooks_,
                    paths_,
                    ports(),
                    settings.engine_patience,
                    static_cast<std::uint64_t>(settings.saved_log_size)},
        runner_(executor(), journal_, steps::operation_policy()),
        keeper_tools_{executor(), journal_, engine_, runs_,      monitor_,
                      models_,    picture_, runner_, hook_tools_},
        pre_run_starts_(keeper_tools_),
        keeper_(keeper_tools_),
        execs_(executor(), journal_, engine_),
        one_offs_(step_tools_),
        parts_{executor(), loop_.turns(), journal_, engine_,     runs_,  files_,    user_files_, monitor_,
               models_,    picture_,      runner_,  step_tools_, execs_, one_offs_, paths_,      facts()},
        manager_(parts_),
        server_(executor(), api::make_router(manager_, api_options()), api::error_pages()),
        tasks_(executor()),
        signals_(loop_.context(), SIGTERM, SIGINT) {
    // A terminal that is closed ends it as a signal would, unless it was started to outlive that (nohup).
    struct sigaction hangup {};
    if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) signals_.add(SIGHUP);
    if (prepare) prepare(journal_.direct());
    steps::add_step_kinds(runner_, step_tools_);
  }

  void run() {
    std::exception_ptr error;
    asio::co_spawn(
        executor(), [this] { return live(); }, [&error](std::exception_ptr e) { error = e; });
    loop_.run();
    if (error) std::rethrow_exception(error);
  }

private:
  asio::any_io_executor executor() { return loop_.executor(); }
  plan::PortRange ports() const { return {settings_.port_first, settings_.port_last}; }
  static world::StepKinds picture_kinds() {
    return {{plan::Ready::k_kind, plan::ReadyProcess::k_kind}, plan::PlanUp::k_kind};
  }
  static api::Options api_options() {
    api::Options options;
    options.stop = [] { ::kill(::getpid(), SIGTERM); };  // there is one way to end
    return options;
  }
  stacks::DaemonFacts facts() const {
    return {settings_.socket.string(), settings_.log_level, util::format_time(util::now_ms()), chosen_.why,
            ports()};
  }

  awaitable<void> live() {
    // The socket first: a second daemon must fail before it touches anything.
    std::exception_ptr error;
    try {
      listen();
      engine_.on_done = [this](const std::string& id, docker::Done what, const std::string& name) {
        monitor_.saw(id, what, name);
      };
      monitor_.on_restarted = [this](const world::ContainerState& state) {
        tasks_.spawn("mark", [this, state] {
          return logs::write_mark(files_, paths_.stack(state.stack), state.service, state.number,
                                  "restarted: container-restart");
        });
      };
      monitor_.on_removed = [this](const std::string& id, const world::ContainerState& state) {
        tasks_.spawn("log of a container that is gone", [this, id, state] { return note_gone(id, state); });
      };
      tasks_.keep("engine events", [this] { return monitor_.run(); });
      tasks_.keep("inspecting", [this] { return monitor_.inspect(); });
      tasks_.keep("pre_run records", [this] { return pre_run_starts_.run(); });
      co_await runner_.recover();
      tasks_.keep("telling", [this] { return picture_.run(); });
      co_await execs_.recover();
      co_await one_offs_.recover();
      tasks_.keep("keeper", [this] { return keeper_.run(); });
      tasks_.keep("watchdog", [this] { return watch(); });
      tasks_.keep("pruning", [this] { return prune(); });
      tasks_.keep("giving memory back", [this] { return give_back(); });
      systemd::ready("ready");
      spdlog::info("stackd {} listens on {}{}", STACKD_VERSION, settings_.socket.string(),
                   settings_.listen.empty() ? "" : " and " + settings_.listen);
      const int signal = co_await signals_.async_wait(use_awaitable);
      spdlog::info("signal {}: stopping; services and hooks go on", signal);
    } catch (...) {
      error = std::current_exception();
    }
    systemd::stopping();
    co_await server_.stop();
    co_await execs_.stop();
    co_await one_offs_.stop();
    co_await runner_.stop();
    tasks_.cancel_all();
    co_await tasks_.join();
    loop_.stop();
    if (error) std::rethrow_exception(error);
  }

  // X35: what stackd removes it has saved before; of what somebody else removes it can only say so.
  awaitable<void> note_gone(std::string id, world::ContainerState state) {
    logs::ToSave what;
    what.stack = paths_.stack(state.stack);
    what.service = state.service;
    what.number = state.number;
    what.id = id;
    // That of a one-off is not the service's log.
    const bool wrote =
        state.hook.empty() && !state.oneoff && !state.service.empty() && state.state != "created";
    if (!wrote || state.stack.empty()) co_return;
    auto note = [what](async::FileWorker&) {
      logs::note_unsaved(what, "lost its container: somebody else has removed it, and its log with it", "");
    };
    try {
      co_await models_.get(state.stack);  // throws for one that was forgotten meanwhile: its folder is gone
      co_await files_.run(note);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled) throw;
      if (e.kind() != ErrorKind::not_found) spdlog::warn("{}", e.what());
    }
  }

  void listen() {
    std::vector<http::Listener> listeners;
    for (auto& socket : systemd::take_passed_sockets())
      listeners.push_back(http::Listener::passed(std::move(socket.fd)));
    if (listeners.empty()) listeners.push_back(http::Listener::unix_socket(settings_.socket));
    if (!settings_.listen.empty()) listeners.push_back(http::Listener::tcp(settings_.listen));
    const bool tcp = std::any_of(listeners.begin(), listeners.end(), [](const auto& listener) {
      return listener.transport() == http::Transport::tcp;
    });
    if (tcp) server_.set_token(bearer_token(settings_.home));
    for (auto& listener : listeners) server_.listen(std::move(listener));
  }

  // A beat from the control thread says that the control thread is alive.
  awaitable<void> watch() {
    const auto interval = systemd::watchdog_interval();
    if (!interval) co_return;
    for (;;) {
      systemd::watchdog();
      co_await async::sleep_for(std::chrono::duration_cast<std::chrono::milliseconds>(*interval / 2));
    }
  }

  awaitable<void> prune() {
    for (;;) {
      const auto younger =
          util::now_ms() -
          std::chrono::milliseconds(std::chrono::hours(24 * settings_.operations_kept_days)).count();
      auto query = [keep = settings_.operations_kept, younger,
                    events = settings_.events_kept](store::Database& db) {
        store::Operations::prune(db, keep, younger);
        store::Events::prune(db, events);
      };
      co_await journal_.run(query);
      co_await async::sleep_for(k_prune_interval);
    }
  }

  // What start-up and operations needed, once they are over: the system does not take it by itself.
  awaitable<void> give_back() {
    for (;;) {
      bool busy = true;
      while (busy) busy = co_await journal_.changed().wait_for(k_quiet);
      ::malloc_trim(0);
      co_await journal_.changed().wait();
    }
  }

  const config::Settings& settings_;
  util::FileLock lock_;
  async::Loop loop_;
  async::FileThread files_;
  async::UserFiles user_files_{executor()};
  model::Paths paths_;
  journal::Journal journal_;
  dotdocker::EngineChoice chosen_;
  docker::Engine engine_;
  process::Runs runs_;
  world::Monitor monitor_;
  world::Waits waits_;
  world::Models models_;
  world::Picture picture_;
  images::Transfers transfers_;
  images::Builds builds_;
  hooks::Tools hook_tools_;
  hooks::HookRunner hooks_;
  steps::Tools step_tools_;
  operations::Runner runner_;
  keeper::Tools keeper_tools_;
  keeper::PreRunStarts pre_run_starts_;
  keeper::Keeper keeper_;
  stacks::Execs execs_;
  stacks::OneOffs one_offs_;
  stacks::Parts parts_;
  stacks::Manager manager_;
  http::Server server_;
  async::TaskGroup tasks_;
  asio::signal_set signals_;
};

}  // namespace

namespace {

// On a full disk it begins when there is room: it owns what runs, and nobody else would.
std::unique_ptr<App> begin(const config::Settings& settings, const Prepare& prepare) {
  for (bool told = false;; told = true) {
    try {
      return std::make_unique<App>(settings, prepare);
    } catch (const store::NoRoom& error) {
      if (!told) spdlog::error("{}; waiting for room in {}", error.what(), settings.home.string());
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

void run(const config::Settings& settings, const Prepare& prepare) {
  begin(settings, prepare)->run();
}

}  // namespace stackd::app
