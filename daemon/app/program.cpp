#include "daemon/app/program.hpp"

#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <csignal>
#include <iostream>

#include "daemon/util/error.hpp"

namespace stackd::app {

namespace {

void log_to_stderr(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("stackd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

int program(int argc, char** argv, const Prepare& prepare) {
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  // One heap for all threads: they are idle most of the time, and each would keep what it once needed.
  ::mallopt(M_ARENA_MAX, 1);
  try {
    const auto settings = config::parse_settings(argc, argv, config::Sources::of_process(), std::cout);
    if (!settings) return 0;
    log_to_stderr(settings->log_level);
    run(*settings, prepare);
    return 0;
  } catch (const util::Error& e) {
    std::cerr << "stackd: " << e.what() << '\n';
    for (const auto& detail : e.details())
      if (detail != e.what()) std::cerr << "stackd: " << detail << '\n';
    const bool usage =
        e.kind() == util::ErrorKind::invalid_request || e.kind() == util::ErrorKind::invalid_file;
    return usage ? 2 : 1;
  } catch (const std::exception& e) {
    std::cerr << "stackd: " << e.what() << '\n';
    return 1;
  }
}

}  // namespace stackd::app
