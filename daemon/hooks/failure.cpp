#include "daemon/hooks/failure.hpp"

#include "daemon/resolve/hook_policy.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {

std::string failure_text(const model::Hook& hook, model::HookPlace place, const process::RunExit& exit) {
  const bool compose_words =
      place == model::HookPlace::exec && model::row_of(hook.phase).place == model::HookPlace::exec;
  const auto name = compose_words ? hook.service + " hook" : resolve::label_of(hook);
  std::string text;
  switch (exit.cause) {
    case process::Cause::exited:
      text = name + " exited with status " + std::to_string(exit.code);
      break;
    case process::Cause::signalled:
      text = name + " was ended by signal " + std::to_string(exit.signal);
      break;
    case process::Cause::timed_out:
      text = name + " was out of time and was ended";
      break;
    case process::Cause::ended:
      text = name + " was ended";
      break;
    case process::Cause::lost:
      text = name + " was lost: the process that held it is gone, its result is unknown";
      break;
    case process::Cause::not_started:
      text = "cannot run " + name;
      break;
  }
  if (!exit.error.empty()) text += ": " + exit.error;
  const auto tail = util::tail_lines(util::trim(exit.err_tail).empty() ? exit.out_tail : exit.err_tail);
  if (!tail.empty() && exit.cause != process::Cause::not_started) text += ": " + util::join(tail, "\n");
  return text;
}

}  // namespace stackd::hooks
