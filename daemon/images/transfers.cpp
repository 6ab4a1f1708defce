#include "daemon/images/transfers.hpp"

#include <algorithm>

#include "daemon/docker/words.hpp"
#include "daemon/util/text.hpp"

namespace stackd::images {
namespace {

using util::Error;
using util::ErrorKind;
using namespace std::chrono_literals;

constexpr int k_tries = 5;
constexpr std::chrono::milliseconds k_first_pause = 1s;
// A registry that asks for more is told of, not waited for.
constexpr std::chrono::milliseconds k_longest_pause = 60s;

std::string name_of(const dotdocker::Login& login) {
  return login.username.empty() ? "a token" : "'" + login.username + "'";
}

}  // namespace

std::optional<std::chrono::milliseconds> pause_after(int number, std::string_view error) {
  if (number >= k_tries || !docker::is_passing(error) || docker::wants_login(error)) return std::nullopt;
  const auto asked = docker::wait_asked_for(error).value_or(0ms);
  if (asked > k_longest_pause) return std::nullopt;
  return std::max<std::chrono::milliseconds>(k_first_pause * (1 << (number - 1)), asked);
}

Error explained(const Error& error, const std::string& registry, const dotdocker::Found& found) {
  if (!docker::wants_login(error.what())) return error;
  const auto command = registry == "docker.io" ? std::string("docker login") : "docker login " + registry;
  std::string who, advice;
  if (found.login) {
    who = "as " + name_of(*found.login) + " of " + found.from;
    advice =
        "if that login is not right any more, `" + command + "` renews it; else ask who runs the registry";
  } else {
    who = "without a login" + (found.from.empty() ? std::string() : ", since " + found.from + " has none");
    advice = "`" + command + "` makes one";
  }
  return Error(error.kind(),
               std::string(error.what()) + " (registry " + registry + ", asked " + who + "); " + advice,
               error.details());
}

Transfers::Transfers(asio::any_io_executor executor, docker::Engine& engine, async::UserFiles& user_files)
    : engine_(engine), user_files_(user_files), busy_(std::make_shared<async::NameLocks>(executor)) {}

awaitable<void> Transfers::pull(Transfer transfer) {
  async::NameLock lock(busy_);
  co_await lock.take(transfer.image + " " + transfer.platform);
  if (transfer.missing_only) {
    const auto there = co_await engine_.inspect_image(transfer.image);
    if (there) co_return;
  }
  co_await this->transfer(Way::pull, std::move(transfer));
}

awaitable<void> Transfers::push(Transfer transfer) {
  async::NameLock lock(busy_);
  co_await lock.take(transfer.image + " push");
  co_await this->transfer(Way::push, std::move(transfer));
}

awaitable<std::string> Transfers::digest(Transfer transfer) {
  return this->transfer(Way::look, std::move(transfer));
}

awaitable<std::string> Transfers::transfer(Way way, Transfer what) {
  const auto registry = dotdocker::registry_of(what.image);
  for (int number = 1;; ++number) {
    auto find = [caller = what.caller, registry] { return dotdocker::find_login(caller, registry); };
    std::optional<Error> failure;
    std::optional<std::chrono::milliseconds> pause;
    try {
      auto found = co_await user_files_.run(find);
      std::string digest;
      co_await once(way, what, std::move(found), registry, digest);
      co_return digest;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::engine && e.kind() != ErrorKind::not_found) throw;
      pause = pause_after(number, e.what());
      if (!pause) throw;
      failure = e;
    }
    if (what.progress)
      co_await what.progress("again in " + util::format_duration(*pause) + ": " + failure->what());
    co_await async::sleep_for(*pause);
  }
}

// The login is there for as long as this runs.
awaitable<void> Transfers::once(Way way, const Transfer& what, dotdocker::Found found,
                                const std::string& registry, std::string& digest) {
  std::string auth;
  if (found.login || way == Way::push)
    auth = dotdocker::auth_header(found.login.value_or(dotdocker::Login{}), registry);
  std::optional<Error> failure;
  try {
    if (way == Way::pull)
      co_await engine_.pull_image(what.image, what.platform, std::move(auth), what.progress);
    else if (way == Way::look)
      digest = co_await engine_.registry_digest(what.image, std::move(auth));
    else
      co_await engine_.push_image(what.image, std::move(auth), what.progress);
  } catch (const Error& e) {
    failure = e;
  }
  if (failure) throw explained(*failure, registry, found);
}

}  // namespace stackd::images
