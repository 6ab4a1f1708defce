#include "daemon/process/runs.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <charconv>
#include <set>

#include "daemon/async/deadline.hpp"
#include "daemon/async/name_lock.hpp"
#include "daemon/async/shielded.hpp"
#include "daemon/process/engine_address.hpp"
#include "daemon/process/lost_tree.hpp"
#include "daemon/process/run_files.hpp"
#include "daemon/process/shim/protocol.hpp"
#include "daemon/process/shim_request.hpp"
#include "daemon/process/spawn.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::process {

namespace fs = std::filesystem;
using Descriptor = asio::posix::stream_descriptor;
using util::Error;
using util::ErrorKind;

namespace {

// How long after the grace a shim may take before it counts as hung and is killed: its own limits add up to
// less.
constexpr std::chrono::seconds k_shim_margin{60};

// The lines that a shim says.
class Answers {
public:
  Answers(const asio::any_io_executor& executor, util::Fd pipe) : pipe_(executor, pipe.release()) {}
  // "" once it has nothing more to say.
  awaitable<std::string> next() {
    auto [error, size] = co_await asio::async_read_until(pipe_, asio::dynamic_buffer(buffer_), '\n',
                                                         asio::as_tuple(use_awaitable));
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error) co_return std::string();
    auto line = buffer_.substr(0, size - 1);
    buffer_.erase(0, size);
    co_return line;
  }

private:
  Descriptor pipe_;
  std::string buffer_;
};

void send(const util::Fd& process, int signal) {
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

// Where it cannot be written (the disk is full), the run ends with the grace of its request.
void write_grace(const fs::path& directory, std::chrono::milliseconds grace) {
  const auto file = directory / shim::name::k_grace;
  const auto beside = file.string() + ".new";
  const auto text = std::to_string(grace.count());
  util::Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    ::rename(beside.c_str(), file.c_str());
}

std::optional<std::chrono::milliseconds> grace_of(const fs::path& directory) {
  const auto text = util::read_file_if_there(directory / shim::name::k_grace).value_or("");
  std::int64_t grace = 0;
  const bool is_number = std::from_chars(text.data(), text.data() + text.size(), grace).ec == std::errc();
  return is_number ? std::optional(std::chrono::milliseconds(grace)) : std::nullopt;
}

// An engine that is away has nothing of it running, or will have it until its container goes.
awaitable<void> end_in_container(HungExec exec, std::chrono::milliseconds grace) {
  try {
    co_await end_exec(std::move(exec), grace);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
  }
}

struct Launched {
  std::string answer;
  std::shared_ptr<Answers> answers;
};

}  // namespace

// Shared with the waits and the reapers, which may outlive the Runs for a turn of the loop.
struct Runs::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor e, fs::path s, async::FileThread& f, LogLimits l)
      : executor(std::move(e)),
        shim(std::move(s)),
        files(f),
        limits(l),
        lost(std::make_shared<async::NameLocks>(executor)) {}

  // From the spawn until it is known who has the directory; never cancelled: a caller that gives up must be
  // able to find (and end) what it began.
  static awaitable<Launched> launch(std::shared_ptr<Impl> self, fs::path directory, util::Fd request);
  static awaitable<RunExit> wait(std::shared_ptr<Impl> self, fs::path directory);
  // Ends what a killed shim has left, once however many wait. `seen_to_end` as LostTree's.
  static awaitable<RunExit> end_lost(std::shared_ptr<Impl> self, fs::path directory, bool seen_to_end);

  void reap_when_ended(const std::shared_ptr<Descriptor>& child);
  // The shim's pidfd, one for all who wait for the run; nothing when it has just ended.
  static awaitable<std::shared_ptr<Descriptor>> watch(std::shared_ptr<Impl> self, fs::path directory);
  void forget(const fs::path& directory, const std::shared_ptr<Descriptor>& process);

  asio::any_io_executor executor;
  fs::path shim;
  async::FileThread& files;
  const LogLimits limits;
  std::shared_ptr<async::NameLocks> lost;                 // directories of lost runs that are being ended
  std::set<std::shared_ptr<Descriptor>> children;         // ours, not reaped yet
  std::map<fs::path, std::weak_ptr<Descriptor>> watched;  // by run directory
};

void Runs::Impl::reap_when_ended(const std::shared_ptr<Descriptor>& child) {
  children.insert(child);
  auto reap = [weak = weak_from_this(), child](boost::system::error_code error) {
    if (error) return;
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(child->native_handle()), &info, WEXITED | WNOHANG);
    if (auto self = weak.lock()) self->children.erase(child);
  };
  child->async_wait(Descriptor::wait_read, std::move(reap));
}

awaitable<std::shared_ptr<Descriptor>> Runs::Impl::watch(std::shared_ptr<Impl> self, fs::path directory) {
  auto& watched = self->watched;
  std::erase_if(watched, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = watched.find(directory); found != watched.end()) co_return found->second.lock();
  auto work = [directory](async::FileWorker&) { return std::make_shared<util::Fd>(open_shim(directory)); };
  const auto process = co_await self->files.run(work);
  if (const auto found = watched.find(directory); found != watched.end())
    if (auto known = found->second.lock()) co_return known;
  if (!*process) co_return nullptr;
  auto descriptor = std::make_shared<Descriptor>(self->executor, process->release());
  watched[directory] = descriptor;
  co_return descriptor;
}

void Runs::Impl::forget(const fs::path& directory, const std::shared_ptr<Descriptor>& process) {
  const auto found = watched.find(directory);
  if (found != watched.end() && found->second.lock() == process) watched.erase(found);
}

awaitable<Launched> Runs::Impl::launch(std::shared_ptr<Impl> self, fs::path directory, util::Fd request) {
  auto spawned = spawn_shim(self->shim, request);
  request.reset();
  auto process = std::make_shared<Descriptor>(self->executor, spawned.process.release());
  self->reap_when_ended(process);
  Launched launched{"", std::make_shared<Answers>(self->executor, std::move(spawned.answers))};
  launched.answer = co_await launched.answers->next();
  if (launched.answer == shim::answer::k_took) self->watched[directory] = process;
  co_return launched;
}

awaitable<RunExit> Runs::Impl::wait(std::shared_ptr<Impl> self, fs::path directory) {
  for (bool watched = false;; watched = true) {
    auto work = [directory](async::FileWorker&) { return look_at_run(directory); };
    auto look = co_await self->files.run(work);
    if (look.abandoned) co_return co_await end_lost(self, directory, watched);
    if (look.exit) co_return std::move(*look.exit);
    if (look.state == RunState::absent)
      throw Error(ErrorKind::not_found,
                  "cannot wait for run '" + directory.string() + "': there is no such run");
    auto process = co_await watch(self, directory);
    if (!process) {  // between two looks the shim has ended
      co_await async::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    co_await process->async_wait(Descriptor::wait_read, use_awaitable);
    self->forget(directory, process);
  }
}

awaitable<RunExit> Runs::Impl::end_lost(std::shared_ptr<Impl> self, fs::path directory, bool seen_to_end) {
  struct Hunt {
    explicit Hunt(LostTree lost) : tree(std::move(lost)) {}
    LostTree tree;
    shim::Ending ending;
    bool over = false;
  };
  async::NameLock lock(self->lost);
  co_await lock.take(directory.string());
  auto look_again = [directory](async::FileWorker&) { return look_at_run(directory); };
  auto look = co_await self->files.run(look_again);
  if (!look.abandoned && look.exit) co_return std::move(*look.exit);  // somebody else has just done it
  auto exit = look.exit.value_or(RunExit());
  auto prepare = [directory, seen_to_end](async::FileWorker&) {
    return std::make_shared<Hunt>(LostTree(directory, seen_to_end));
  };
  const auto hunt = co_await self->files.run(prepare);
  if (const auto& exec = hunt->tree.exec()) {
    auto asked = [directory](async::FileWorker&) { return grace_of(directory); };
    const auto grace = co_await self->files.run(asked);
    co_await end_in_container(*exec, grace.value_or(hunt->tree.grace()));
  }
  auto step = [hunt, directory](async::FileWorker&) {
    // In each turn: an end() that comes meanwhile may have a shorter grace.
    hunt->ending.begin(grace_of(directory).value_or(hunt->tree.grace()).count(), hunt->tree);
    hunt->over = hunt->ending.step(hunt->tree);
  };
  for (;;) {
    co_await self->files.run(step);
    if (hunt->over) break;
    co_await async::sleep_for(
        std::chrono::milliseconds(std::max<shim::Millis>(hunt->ending.next() - shim::now(), 1)));
  }
  exit.ended_at = util::now_ms();
  exit.ran = exit.ended_at - exit.started_at;  // all that is known
  exit.left = !hunt->ending.error().empty();
  if (exit.left) {
    exit.error += "; " + hunt->ending.error();
    co_return exit;
  }
  auto record = [directory, exit](async::FileWorker&) { record_lost(directory, exit); };
  co_await self->files.run(record);
  co_return exit;
}

Runs::Runs(asio::any_io_executor executor, fs::path shim, async::FileThread& files, LogLimits limits)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(shim), files, limits)) {}

Runs::~Runs() {
  for (const auto& child : impl_->children) child->close();
}

awaitable<void> Runs::start(RunRequest request) {
  const auto now = co_await look(request.directory);
  if (now.state != RunState::absent) co_return;
  std::vector<std::string> engines;
  if (request.place == Place::exec) engines = co_await engine_addresses(request.engine_host);
  auto file = shim_request(request, engines, impl_->limits);
  auto launched = co_await async::shielded(Impl::launch(impl_, request.directory, std::move(file)));
  if (launched.answer == shim::answer::k_taken) co_return;
  constexpr std::string_view k_error = shim::answer::k_error;
  if (launched.answer.rfind(k_error, 0) == 0)
    throw Error(ErrorKind::io, "cannot start a command: " + launched.answer.substr(k_error.size()));
  if (launched.answer != shim::answer::k_took)
    throw Error(ErrorKind::io, "cannot start a command: '" + impl_->shim.string() + "' ended without a word");
  // started, failed, or nothing (the shim was killed): the directory says which.
  co_await launched.answers->next();
}

awaitable<RunExit> Runs::wait(fs::path directory) {
  return Impl::wait(impl_, std::move(directory));
}

awaitable<RunExit> Runs::end(fs::path directory, std::chrono::milliseconds grace) {
  struct Found {
    bool there = false;
    util::Fd shim;
  };
  auto work = [directory, grace](async::FileWorker&) {
    auto found = std::make_shared<Found>();
    const auto look = look_at_run(directory);
    found->there = look.state != RunState::absent;
    if (found->there) found->shim = open_shim(directory);
    if (look.running() || look.abandoned) write_grace(directory, grace);
    return found;
  };
  const auto found = co_await impl_->files.run(work);
  if (!found->there) {
    RunExit none;
    none.cause = Cause::not_started;
    none.error = "there is no such run";
    co_return none;
  }
  if (found->shim) {
    send(found->shim, SIGTERM);
    try {
      co_return co_await async::within(grace + k_shim_margin, "cannot end a run",
                                       Impl::wait(impl_, directory));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::timed_out) throw;
      send(found->shim, SIGKILL);
    }
  }
  co_return co_await Impl::wait(impl_, directory);
}

awaitable<RunLook> Runs::look(fs::path directory) {
  auto work = [directory](async::FileWorker&) { return look_at_run(directory); };
  return impl_->files.run(work);
}

awaitable<std::vector<RunLook>> Runs::look_at(std::vector<fs::path> directories) {
  auto work = [directories](async::FileWorker&) {
    std::vector<RunLook> looks;
    for (const auto& directory : directories) looks.push_back(look_at_run(directory));
    return looks;
  };
  return impl_->files.run(work);
}

}  // namespace stackd::process
