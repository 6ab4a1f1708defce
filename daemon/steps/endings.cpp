#include "daemon/steps/endings.hpp"

#include "daemon/logs/container_tail.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::size_t k_log_tail = 2048;  // L3.7
constexpr std::size_t k_log_lines = 20;   // L4.4

// The end of the log of this run, its marker left out.
std::string last_process_lines(const store::ProcessRow& row) {
  auto text = util::read_tail(row.log, k_log_tail);
  if (const auto marker = text.rfind("=== stackd "); marker != std::string::npos) {
    const auto end = text.find('\n', marker);
    text = end == std::string::npos ? "" : text.substr(end + 1);
  }
  return util::join(util::tail_lines(text, k_log_lines), "\n");
}

}  // namespace

awaitable<std::string> container_death(Tools& tools, std::string id, std::string what) {
  for (;;) {
    const auto state = tools.monitor.find(id);
    if (state && state->dead()) {
      const auto lines = co_await logs::last_container_lines(tools.engine, id);
      co_return what + " exited (" + std::to_string(state->exit_code.value_or(0)) + ")" +
          (lines.empty() ? "" : ": " + lines);
    }
    co_await tools.monitor.changed().wait();
  }
}

std::string exit_words(const process::RunExit& exit) {
  switch (exit.cause) {
    case process::Cause::not_started:
      return "could not be started: " + exit.error;
    case process::Cause::signalled:
      return "was ended by signal " + std::to_string(exit.signal);
    case process::Cause::ended:
      return "was ended";
    case process::Cause::timed_out:
      return "was out of time and was ended";
    case process::Cause::lost:
      return "is gone without a word";
    default:
      return "exited with status " + std::to_string(exit.code);
  }
}

Error process_failure(const model::Service& service, const store::ProcessRow& row, const std::string& words) {
  auto lines = last_process_lines(row);
  if (words.ends_with(lines)) lines.clear();  // what it said is why
  return Error(ErrorKind::failed,
               "service '" + service.name + "' " + words + (lines.empty() ? "" : ": " + lines),
               {"log: " + row.log});
}

}  // namespace stackd::steps
