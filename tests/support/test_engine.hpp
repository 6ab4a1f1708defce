// The engine that the tests use, and the image that their containers are made of.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "tests/support/source_root.hpp"

namespace stackd::test {

// What a function of tests/support/engine.sh prints.
inline std::string engine_sh(const std::string& function) {
  const auto command =
      "cd '" + source_root().string() + "' && bash -c '. tests/support/engine.sh && " + function + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  char line[256] = "";
  const bool said = std::fgets(line, sizeof line, pipe) != nullptr;
  if (::pclose(pipe) != 0 || !said) throw std::runtime_error("cannot run " + command);
  std::string found = line;
  found.pop_back();
  return found;
}

// The engine's socket, and the same as DOCKER_HOST writes it.
inline const std::string& engine_socket() {
  static const std::string path = engine_sh("engine_socket");
  return path;
}
inline std::string engine_host() {
  return "unix://" + engine_socket();
}

// The image's name; it is made when the engine has none.
inline const std::string& test_image() {
  static const std::string name = engine_sh("engine_busybox");
  return name;
}

}  // namespace stackd::test
