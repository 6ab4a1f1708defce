// stackd: parses its settings, runs the app, turns anything thrown into one line and an exit code.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <csignal>
#include <iostream>

#include "daemon/app/app.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/util/error.hpp"

int main(int argc, char** argv) {
  using namespace stackd;
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  try {
    const auto settings = config::parse_settings(argc, argv, config::Sources::of_process(), std::cout);
    if (!settings) return 0;
    auto logger = spdlog::stderr_color_mt("stackd");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger->set_level(spdlog::level::from_str(settings->log_level));
    spdlog::set_default_logger(std::move(logger));
    app::run(*settings);
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
