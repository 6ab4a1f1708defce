// stackctl status, ls, top and urls: what there is, from different sides.
#include <algorithm>
#include <set>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/follow.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {

namespace {

void show_status(Context& context, const proto::Stack& stack) {
  show_stack(context, stack);
  if (const auto& last = stack.last_operation) {
    std::string took = last->duration_ms ? " in " + duration_text(*last->duration_ms) : "";
    context.out(paint("last operation: " + last->kind + " " + last->state + took + " (" + last->id + ")",
                      Tone::dim, context.colour()) +
                "\n");
    if (last->state == "failed" && last->error) {
      context.out(paint("  " + clean(last->error->message), Tone::bad, context.colour()) + "\n");
    }
  }
  context.warn(stack.warnings);
}

// What changes nothing that is shown.
bool is_seen(const std::string& kind) {
  return kind == "service.status" || kind == "stack.status" || kind.starts_with("operation.") ||
         kind.starts_with("engine.");
}

// Again at each change, for ever: in place on a terminal, one below the other elsewhere.
int watch_status(Context& context, const std::string& id) {
  const auto show = [&] {
    const auto text = context.api().get(target::stack(id));
    if (context.json()) return context.document(text);
    if (context.terminal()) context.out("\x1b[H\x1b[2J");
    show_status(context, nlohmann::json::parse(text).get<proto::Stack>());
    if (!context.terminal()) context.out("\n");
  };
  show();
  follow_events(context.api(), "/v1/events?stack=" + percent_encode(id), "", std::chrono::seconds(30),
                [&](const proto::Event& event, const std::string&) {
                  if (is_seen(event.kind)) show();
                });
  return proto::k_done;
}

}  // namespace

int run_status(Context& context, bool watch) {
  const proto::Stack stack = context.stack();
  if (watch) return watch_status(context, stack.id);
  if (context.json())
    context.document(context.api().get(target::stack(stack.id)));
  else
    show_status(context, stack);
  return proto::k_done;
}

int run_ls(Context& context, bool all, bool quiet) {
  if (context.json()) {
    context.document(context.api().get("/v1/stacks"));
    return proto::k_done;
  }
  Table table({"NAME", "STATUS", "SERVICES", "ID", "DIRECTORY"});
  std::size_t hidden = 0;
  for (const auto& stack : context.api().stacks()) {
    if (stack.status == "down" && !all) {
      ++hidden;
      continue;
    }
    if (quiet) {
      context.out(stack.name + "\n");
      continue;
    }
    table.add({stack.name, stack.status, std::to_string(stack.services.size()), stack.id, stack.directory},
              tone_of(stack.status), 1);
  }
  if (quiet) return proto::k_done;
  context.out(table);
  if (hidden > 0 && context.terminal())
    context.out(
        paint(counted(hidden, "stack") + " down: `stackctl ls -a` shows all", Tone::dim, context.colour()) +
        "\n");
  return proto::k_done;
}

int run_top(Context& context, const std::vector<std::string>& services) {
  const proto::Stack stack = context.stack();
  for (const auto& name : services)
    if (std::none_of(stack.services.begin(), stack.services.end(),
                     [&](const proto::Service& service) { return service.name == name; }))
      throw ClientError(proto::k_not_found, "stack '" + stack.id + "' has no service '" + name + "'");
  if (context.json()) {
    context.document(context.api().get(target::top(stack.id)));
    return proto::k_done;
  }
  const auto cpu = [](const std::optional<double>& percent) {
    return percent ? percent_text(*percent) : "-";
  };
  const auto memory = [](const std::optional<std::int64_t>& bytes) {
    return bytes ? bytes_text(*bytes) : "-";
  };
  Table table({"SERVICE", "STATUS", "CPU", "MEMORY", "PID", "CONTAINER", "IMAGE", "NAME"});
  for (const auto& service : context.api().top(stack.id).services) {
    if (!services.empty() && std::find(services.begin(), services.end(), service.name) == services.end())
      continue;
    const Tone tone = tone_of(service.status);
    if (service.containers.empty())
      table.add({service.name, service.status, cpu(service.cpu_percent), memory(service.memory_bytes),
                 service.pid ? std::to_string(*service.pid) : "-", "-", "-", "-"},
                tone, 1);
    for (const auto& container : service.containers)
      table.add({service.name, container.state, cpu(container.cpu_percent), memory(container.memory_bytes),
                 "-", container.id.substr(0, 12), container.image, container.name},
                tone, 1);
  }
  context.out(table);
  return proto::k_done;
}

int run_urls(Context& context) {
  const proto::Stack stack = context.stack();
  if (context.json()) {
    context.document(context.api().get(target::stack(stack.id)));
    return proto::k_done;
  }
  std::set<std::string> shown;
  for (const auto& service : stack.services)
    for (const auto& port : service.ports)
      if (!port.url.empty() && shown.insert(port.url).second)
        context.out(port.url + "  " + service.name + "\n");
  for (const auto& url : stack.urls)
    if (shown.insert(url).second) context.out(url + "\n");
  return proto::k_done;
}

}  // namespace stackd::client
