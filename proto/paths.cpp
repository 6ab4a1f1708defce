#include "proto/paths.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace stackd::proto {
namespace {

// Empty counts as not set, as the XDG specification has it.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string home_directory() {
  if (auto home = environment("HOME"); !home.empty()) return home;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry && entry->pw_dir ? entry->pw_dir : "/";
}

}  // namespace

std::string default_home() {
  if (auto home = environment("STACKD_HOME"); !home.empty()) return home;
  if (auto state = environment("XDG_STATE_HOME"); !state.empty()) return state + "/stackd";
  const auto home = home_directory();
  return (home == "/" ? "" : home) + "/.local/state/stackd";
}

std::string default_socket() {
  if (auto socket = environment("STACKD_SOCKET"); !socket.empty()) return socket;
  if (auto runtime = environment("XDG_RUNTIME_DIR"); !runtime.empty()) return runtime + "/stackd/stackd.sock";
  return "/run/stackd/stackd.sock";
}

}  // namespace stackd::proto
