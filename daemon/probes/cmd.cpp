// cmd: a command of this host that exits with 0, run once a second (L3.4).
#include "daemon/probes/probe.hpp"
#include "daemon/util/error.hpp"

namespace stackd::probes {

Probe cmd_probe(const std::string& text, const Subject& subject) {
  Probe probe;
  probe.pause = std::chrono::milliseconds(1000);
  probe.attempt = [text, run = subject.run]() -> awaitable<void> {
    const bool ok = co_await run(text);
    if (!ok) throw util::Error(util::ErrorKind::failed, "the command of ready_when has not succeeded yet");
  };
  return probe;
}

}  // namespace stackd::probes
