// Probe: a kind of readiness made ready to be asked. One file a kind; probe.cpp has the table. Strings are
// resolved already: this room knows no stack files.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "daemon/async/asio.hpp"
#include "daemon/model/probes.hpp"

namespace stackd::probes {

// What a probe is about, besides its text.
struct Subject {
  int port = 0;  // the first that the service has on this host, for texts that name none
  // Runs a command once, with the service's environment and directory: did it exit with 0? Throws unsupported
  // when it cannot be run at all.
  std::function<awaitable<bool>(std::string command)> run;
};

struct Probe {
  // One try: passes by returning; throws Error(failed) with what came back instead, Error(unsupported) when
  // no try can ever pass. Null for one that only reads lines.
  std::function<awaitable<void>()> attempt;
  std::chrono::milliseconds pause{250};  // between tries, at the most: the first ones follow quickly
  // Whether one of these lines of the service's output is what is waited for. Null for one that asks.
  std::function<bool(std::string_view lines)> in_lines;
};

Probe make_probe(model::ProbeKind kind, const std::string& text, const Subject& subject);

}  // namespace stackd::probes
