#include "daemon/app/fault.hpp"

#include <csignal>
#include <cstdlib>
#include <string>

#include "daemon/util/error.hpp"

namespace stackd::app {

void arm_fault(store::Database& db) {
  const char* wish = std::getenv("STACKD_CRASH_AT");
  if (!wish || !*wish) return;
  const std::string text = wish;
  const auto colon = text.find(':');
  const auto where = text.substr(0, colon);
  if (colon == std::string::npos || (where != "before" && where != "after"))
    throw util::Error(util::ErrorKind::invalid_request,
                      "cannot read STACKD_CRASH_AT='" + text + "': expected before:N or after:N");
  const auto point =
      where == "before" ? store::Database::CommitPoint::before : store::Database::CommitPoint::after;
  const auto number = std::strtoull(text.c_str() + colon + 1, nullptr, 10);
  db.on_commit([point, number](store::Database::CommitPoint at, std::uint64_t count) {
    if (at == point && count == number) std::raise(SIGKILL);
  });
}

}  // namespace stackd::app
