// stackctl events: the journal as it is written, of every stack or, with -p, of one.
#include <ctime>
#include <utility>

#include "client/commands/commands.hpp"
#include "client/error.hpp"
#include "client/follow.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"
#include "proto/time.hpp"

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

// "2026-08-01 09:30:00.123000", in this machine's zone, as Compose prints it.
std::string compose_time(const std::string& rfc3339) {
  const auto at = proto::parse_time(rfc3339);
  if (!at) return rfc3339;
  const std::time_t seconds = *at / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[64];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return std::string(text, size) + "." + std::to_string(1000 + *at % 1000).substr(1) + "000";
}

int compose_events(Context& context, const EventsArgs& args) {
  const proto::Stack stack = context.stack();
  std::string target = target::stack(stack.id) + "/container-events";
  char separator = '?';
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty())
      target += std::exchange(separator, '&') + std::string(name) + "=" + percent_encode(value);
  };
  add("since", args.since);
  add("until", args.until);
  for (const auto& service : args.services) add("service", service);
  auto stream = context.api().stream(target, "application/x-ndjson");
  std::string buffer;
  while (stream.connection.read(buffer, k_never) == Read::data)
    for (std::size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1)) {
      const auto event = nlohmann::json::parse(buffer.substr(0, end)).get<proto::ContainerEvent>();
      if (context.json()) {
        const nlohmann::json line{{"time", event.at},         {"type", "container"},
                                  {"service", event.service}, {"id", event.id},
                                  {"action", event.action},   {"attributes", event.attributes}};
        context.document(line.dump());
        continue;
      }
      std::vector<std::string> attributes;
      for (const auto& [name, value] : event.attributes) attributes.push_back(name + "=" + value);
      context.out(compose_time(event.at) + " container " + event.action + " " + event.id + " (" +
                  join(attributes, ", ") + ")\n");
    }
  return proto::k_done;
}

}  // namespace

int run_events(Context& context, const EventsArgs& args) {
  if (args.compose) return compose_events(context, args);
  if (!args.services.empty() || !args.until.empty())
    throw ClientError(proto::k_bad_usage,
                      "services and --until are for events --compose: the journal's have neither");
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
