// stackd-build: one build by the engine's BuildKit. Held by a shim, so that the daemon's death does not end
// it. Its log goes to stdout; when it fails, stderr has why, and the last lines of what failed.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "daemon/images/builder/engine_socket.hpp"
#include "daemon/images/builder/solve.hpp"
#include "daemon/util/error.hpp"

extern char** environ;

namespace {

using stackd::dotdocker::Environment;

Environment environment() {
  Environment variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (const auto equals = text.find('='); equals != text.npos)
      variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

// Its parts, put together and taken out: nothing that is started here is to have them.
stackd::images::BuildRequest take_request(Environment& variables) {
  std::string text;
  for (int part = 0;; ++part) {
    const auto found = variables.find(stackd::images::k_request_variable + std::to_string(part));
    if (found == variables.end()) break;
    text += found->second;
    variables.erase(found);
  }
  return nlohmann::json::parse(text).get<stackd::images::BuildRequest>();
}

constexpr std::size_t k_longest_line = 150, k_longest_reason = 800;

int fail(int code, const std::string& why, const std::vector<std::string>& lines = {}) {
  // The reason last, and in one line: the end of it all is what is kept.
  for (const auto& line : lines) std::cerr << line.substr(0, k_longest_line) << '\n';
  // What has failed stands at its beginning, and how at its end.
  std::string text = why;
  if (text.size() > k_longest_reason)
    text = why.substr(0, k_longest_reason / 2) + " … " + why.substr(why.size() - k_longest_reason / 2);
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::cerr << stackd::images::k_reason << text << '\n';
  return code;
}

}  // namespace

int main() {
  using namespace stackd;
  std::signal(SIGPIPE, SIG_IGN);
  auto variables = environment();
  images::BuildRequest request;
  try {
    request = take_request(variables);
  } catch (const std::exception&) {
    return fail(images::k_build_unusable, "stackd-build is started by stackd, which tells it what to build");
  }
  const auto line = [](const std::string& text) { std::cout << text << std::endl; };
  try {
    const auto built = builder::build(request, variables, line);
    return built.ok ? 0 : fail(images::k_build_failed, built.error, built.lines);
  } catch (const builder::NoBuildKit& e) {
    return fail(images::k_no_buildkit, e.what());
  } catch (const util::Error& e) {
    return fail(e.kind() == util::ErrorKind::no_engine ? images::k_engine_lost : images::k_build_failed,
                e.what());
  } catch (const std::exception& e) {
    return fail(images::k_build_failed, e.what());
  }
}
