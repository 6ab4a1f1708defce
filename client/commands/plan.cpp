// A plan as people read it: what up, down, stop, start and restart print with --dry-run, and diff with
// values.
#include "client/commands/shared.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {
namespace {

Tone tone_of_action(const std::string& action) {
  if (action == "skip") return Tone::dim;
  if (action == "remove" || action == "stop") return Tone::bad;
  return action == "recreate" || action == "restart" ? Tone::warn : Tone::good;
}

std::string line_of(const proto::PlanAction& action, bool colour) {
  std::string line = paint(action.action, tone_of_action(action.action), colour) + " " + action.subject +
                     ": " + clean(action.reason);
  if (!action.takes_along.empty()) line += " (takes along " + join(action.takes_along, ", ") + ")";
  return line + "\n";
}

// A value of several lines stays readable: each has its sign.
std::string value_of(const std::string& value, const char* sign, Tone tone, bool colour) {
  std::string text;
  for (const auto& line : lines_of(value)) text += "      " + paint(sign + clean(line), tone, colour) + "\n";
  return text;
}

void show_values(const Context& context, const proto::PlanAction& action) {
  for (const auto& change : action.changes)
    context.out("    " + change.key + "\n" + value_of(change.before, "- ", Tone::bad, context.colour()) +
                value_of(change.after, "+ ", Tone::good, context.colour()));
}

}  // namespace

int show_plan(Context& context, const proto::PlanRequest& request, bool values) {
  const std::string answer = context.api().post(
      "/v1/plan", nlohmann::json(request).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const auto plan = nlohmann::json::parse(answer).get<proto::Plan>();
  const int code = plan.to_do ? proto::k_to_do : proto::k_done;
  if (context.json()) {
    context.document(answer);
    return code;
  }
  context.warn(plan.warnings);
  for (const auto& action : plan.actions) {
    context.out(line_of(action, context.colour()));
    if (values) show_values(context, action);
  }
  if (!plan.to_do) context.out("nothing to do: everything is as it should be\n");
  return code;
}

}  // namespace stackd::client
