// An up that stays at the logs of what it has brought up, as `docker compose up` does.
#pragma once

#include <string>
#include <vector>

#include "client/commands/log_printer.hpp"

namespace stackd::client {

struct ForegroundArgs {
  bool wanted = false;              // one of its options was given
  std::vector<std::string> attach;  // none: all
  std::vector<std::string> no_attach;
  bool attach_dependencies = false;
  bool abort_on_exit = false, abort_on_failure = false;
  std::string exit_code_from;
  LogLook look;

  bool aborts() const { return abort_on_exit || abort_on_failure || !exit_code_from.empty(); }
};

// From the end of the up on. `services`: what the up named, none is all. Until all have ended, or one has
// that ends the others, or Ctrl-C stops them; the exit code.
int stay_attached(Context& context, const proto::Operation& up, const std::vector<std::string>& services,
                  const ForegroundArgs& args);

}  // namespace stackd::client
