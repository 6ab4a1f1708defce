// Waits: what steps wait for at this moment, so that who asks is told (`waiting_for`). Forgotten with the
// daemon: a step that is run again tells anew. Control thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "daemon/util/time.hpp"

namespace stackd::world {

struct Wait {
  std::string what;    // "healthcheck", "http http://localhost:8080/", "end"
  int attempt = 0;     // the try that is made now; 0 when nothing is tried, but something awaited
  std::string answer;  // of the last try
  util::TimeMs since = 0, deadline = 0;  // deadline 0: none
};

// "healthcheck, try 9: connection refused"
std::string to_text(const Wait& wait);

class Waits {
public:
  std::function<void(const std::string& stack)> on_change;

  void set(const std::string& stack, const std::string& service, Wait wait);
  void end(const std::string& stack, const std::string& service);
  const Wait* find(const std::string& stack, const std::string& service) const;

private:
  std::map<std::pair<std::string, std::string>, Wait> waits_;
};

}  // namespace stackd::world
