#include "daemon/probes/healthcheck.hpp"

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::probes {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

awaitable<void> until_healthy(docker::Engine& engine, std::string container, std::vector<std::string> test,
                              milliseconds timeout, EndExec end) {
  docker::ExecConfig config;
  if (test.size() == 2 && test[0] == "CMD-SHELL")
    config.argv = {"/bin/sh", "-c", test[1]};
  else
    config.argv.assign(test.begin() + 1, test.end());
  constexpr milliseconds k_first{10}, k_most{1000};
  for (auto pause = k_first;; pause = std::min(pause * 3 / 2, k_most)) {
    co_await async::sleep_for(pause);
    const auto mark = "STACKD_RUN=" + util::random_hex(16);
    config.env = {mark};
    const auto id = std::make_shared<std::string>();
    bool out_of_time = false;
    try {
      auto run = engine.exec(container, config, nullptr, id);
      const auto result = co_await async::within(timeout, "healthcheck", std::move(run));
      if (result.exit_code == 0) co_return;
    } catch (const Error& e) {
      // A container that is not running (yet, or any more) is the engine's to report.
      if (e.kind() == ErrorKind::cancelled) throw;
      out_of_time = e.kind() == ErrorKind::timed_out;
    }
    if (out_of_time && !id->empty()) co_await end(*id, mark);
  }
}

}  // namespace stackd::probes
