// stackd-faulty: stackd with a way to die. STACKD_CRASH_AT="before:N" or "after:N" ends it, as kill -9 would,
// at its Nth commit. A program of its own, built with the tests alone: nobody's daemon can be told to crash.
#include <csignal>
#include <cstdlib>
#include <string>

#include "daemon/app/program.hpp"
#include "daemon/util/error.hpp"

namespace {

using stackd::store::Database;

// Does nothing without the variable. Throws invalid_request when it makes no sense.
void arm(Database& db) {
  const char* wish = std::getenv("STACKD_CRASH_AT");
  if (!wish || !*wish) return;
  const std::string text = wish;
  const auto colon = text.find(':');
  const auto where = text.substr(0, colon);
  if (colon == std::string::npos || (where != "before" && where != "after"))
    throw stackd::util::Error(stackd::util::ErrorKind::invalid_request,
                              "cannot read STACKD_CRASH_AT='" + text + "': expected before:N or after:N");
  const auto point = where == "before" ? Database::CommitPoint::before : Database::CommitPoint::after;
  const auto number = std::strtoull(text.c_str() + colon + 1, nullptr, 10);
  db.on_commit([point, number](Database::CommitPoint at, std::uint64_t count) {
    if (at == point && count == number) std::raise(SIGKILL);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return stackd::app::program(argc, argv, arm);
}
