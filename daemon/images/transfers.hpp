// Transfers: images between the engine and registries, as Docker's own client moves them: with the caller's
// login, which is fetched for each try and held no longer than it; again when a fault is a passing one; one
// image once, however many wait for it. Control thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "daemon/async/name_lock.hpp"
#include "daemon/async/user_files.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/dotdocker/logins.hpp"
#include "daemon/util/error.hpp"

namespace stackd::images {

struct Transfer {
  std::string image;              // reference
  std::string platform;           // of a pull; "" is the engine's
  dotdocker::Environment caller;  // says where logins are, and where the programs that keep them
  docker::LineSink progress = nullptr;
  bool missing_only = false;  // of a pull: nothing to do when it has come meanwhile
};

class Transfers {
public:
  Transfers(asio::any_io_executor executor, docker::Engine& engine, async::UserFiles& user_files);

  // Throws no_engine; else what the engine or a helper says, with the registry, whose login was tried, and
  // what to do about it.
  awaitable<void> pull(Transfer transfer);
  awaitable<void> push(Transfer transfer);
  // What the registry has under this name now, "sha256:…"; nothing is pulled.
  awaitable<std::string> digest(Transfer transfer);

private:
  enum class Way { pull, push, look };
  awaitable<std::string> transfer(Way way, Transfer what);
  awaitable<void> once(Way way, const Transfer& what, dotdocker::Found found, const std::string& registry,
                       std::string& digest);

  docker::Engine& engine_;
  async::UserFiles& user_files_;
  std::shared_ptr<async::NameLocks> busy_;
};

// How long to wait after try `number` (from 1) has failed so; nothing when another would not help.
std::optional<std::chrono::milliseconds> pause_after(int number, std::string_view error);

// The engine's error with what the user can do about it.
util::Error explained(const util::Error& error, const std::string& registry, const dotdocker::Found& found);

}  // namespace stackd::images
