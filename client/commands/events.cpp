// stackctl events: the journal as it is written, of every stack or, with -p, of one.
#include "client/commands/commands.hpp"
#include "client/follow.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {
namespace {

std::string data_text(const nlohmann::json& data) {
  std::string text;
  if (!data.is_object()) return text;
  for (const auto& [name, value] : data.items()) {
    if (value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty())) continue;
    text += " " + name + "=" + (value.is_string() ? clean(value.get<std::string>()) : clean(value.dump()));
  }
  return text;
}

}  // namespace

int run_events(Context& context, const EventsArgs& args) {
  std::string stack = context.globals().project.empty() ? "" : context.stack().id;
  std::string target = "/v1/events" + (stack.empty() ? "" : "?stack=" + percent_encode(stack));
  follow_events(context.api(), target, args.since, std::chrono::seconds(30),
                [&](const proto::Event& event, const std::string& text) {
                  if (!stack.empty() && event.stack != stack) return;
                  if (context.json()) return context.document(text);
                  context.out(paint(clock_text(event.at), Tone::dim, context.colour()) + " " + event.stack +
                              " " + paint(event.kind, Tone::bold, context.colour()) + data_text(event.data) +
                              "\n");
                });
  return proto::k_done;
}

}  // namespace stackd::client
