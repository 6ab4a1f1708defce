// stackctl ps: the stack's containers, in Compose's columns; services of this host have their row as well.
#include <algorithm>

#include "client/commands/containers.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {
namespace {

constexpr std::size_t k_command_width = 20;

std::string ports_of(const proto::ContainerRow& row) {
  std::vector<std::string> parts;
  for (const auto& port : row.ports) {
    const std::string inside = std::to_string(port.container_port) + "/" + port.protocol;
    const bool six = port.host_ip.find(':') != std::string::npos;
    const std::string ip = six ? "[" + port.host_ip + "]" : port.host_ip;
    parts.push_back(port.host_port == 0 ? inside : ip + ":" + std::to_string(port.host_port) + "->" + inside);
  }
  return join(parts, ", ");
}

proto::ContainerRow row_of(const proto::Service& service) {
  proto::ContainerRow row;
  row.id = service.pid ? std::to_string(*service.pid) : "";
  row.name = row.service = service.name;
  row.image = "(" + service.kind + ")";
  row.state = service.pid ? "running" : service.status;
  row.status = service.status;
  row.exit_code = service.exit_code;
  for (const auto& port : service.ports)
    if (port.host_port != 0)
      row.ports.push_back({port.host_ip, port.protocol, port.host_port, port.host_port});
  return row;
}

std::string short_command(const std::string& command, bool whole) {
  if (command.empty()) return "";
  if (whole || command.size() <= k_command_width) return "\"" + command + "\"";
  return "\"" + fit(command, k_command_width) + "\"";
}

bool is_there(const proto::ContainerRow& row) {
  return row.state == "running" || row.state == "paused" || row.state == "restarting";
}

nlohmann::json fields_of(const proto::ContainerRow& row, const proto::Stack& stack, bool whole) {
  auto publishers = nlohmann::json::array();
  for (const auto& port : row.ports)
    publishers.push_back({{"URL", port.host_ip},
                          {"TargetPort", port.container_port},
                          {"PublishedPort", port.host_port},
                          {"Protocol", port.protocol}});
  return {{"ID", whole ? row.id : row.id.substr(0, 12)},
          {"Name", row.name},
          {"Names", row.name},
          {"Image", row.image},
          {"Command", short_command(row.command, whole)},
          {"Project", stack.name},
          {"Service", row.service},
          {"CreatedAt", row.created_at},
          {"RunningFor", ago_text(row.created_at)},
          {"State", row.state},
          {"Status", row.status},
          {"Health", row.health},
          {"ExitCode", row.exit_code.value_or(0)},
          {"Publishers", publishers},
          {"Ports", ports_of(row)}};
}

}  // namespace

std::string filled(const std::string& format, const nlohmann::json& values) {
  std::string text;
  std::size_t at = 0;
  for (std::size_t open; (open = format.find("{{", at)) != std::string::npos;) {
    const std::size_t close = format.find("}}", open);
    std::string name = close == std::string::npos ? "" : format.substr(open + 2, close - open - 2);
    name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
    if (name.size() < 2 || name[0] != '.' || !values.contains(name.substr(1)))
      throw ClientError(proto::k_bad_usage, "cannot use --format '" + format +
                                                "': it knows table, json and fields such as {{.Name}}");
    const auto& value = values[name.substr(1)];
    text += format.substr(at, open - at) + (value.is_string() ? value.get<std::string>() : value.dump());
    at = close + 2;
  }
  return text + format.substr(at);
}

std::string ago_text(const std::string& at) {
  const auto then = proto::parse_time(at);
  if (!then) return "";
  const std::int64_t seconds = std::max<std::int64_t>(0, now_ms() - *then) / 1000;
  const auto words = [](std::int64_t count, const std::string& unit) {
    return counted(count, unit) + " ago";
  };
  const std::int64_t minutes = seconds / 60, hours = (minutes + 30) / 60, days = hours / 24;
  if (seconds < 1) return "Less than a second ago";
  if (seconds < 60) return words(seconds, "second");
  if (minutes == 1) return "About a minute ago";
  if (minutes < 60) return words(minutes, "minute");
  if (hours == 1) return "About an hour ago";
  if (hours < 48) return words(hours, "hour");
  if (days < 14) return words(days, "day");
  if (days < 60) return words(days / 7, "week");
  return days < 730 ? words(days / 30, "month") : words(days / 365, "year");
}

int run_ps(Context& context, const PsArgs& args) {
  const proto::Stack stack = context.stack();
  for (const auto& name : args.services) check_service(stack, name);
  if (args.list_services) {
    for (const auto& service : stack.services)
      if (service.pid || std::any_of(service.containers.begin(), service.containers.end(),
                                     [&](const auto& c) { return args.all || c.state == "running"; }))
        context.out(service.name + "\n");
    return proto::k_done;
  }
  const std::string document = context.api().get(target::stack(stack.id) + "/containers");
  if (context.json()) {
    context.document(document);
    return proto::k_done;
  }
  auto rows = nlohmann::json::parse(document).at("containers").get<std::vector<proto::ContainerRow>>();
  for (const auto& service : stack.services)
    if (service.kind != "container" && (service.pid || args.all)) rows.push_back(row_of(service));
  std::erase_if(rows, [&](const proto::ContainerRow& row) {
    const bool named = args.services.empty() || std::find(args.services.begin(), args.services.end(),
                                                          row.service) != args.services.end();
    const bool of_state = args.status.empty() ||
                          std::find(args.status.begin(), args.status.end(), row.state) != args.status.end();
    const bool shown = args.all || !args.status.empty() || (is_there(row) && !row.oneoff);
    return !named || !of_state || !shown || (row.orphan && !args.orphans);
  });
  if (args.quiet) {
    for (const auto& row : rows) context.out(row.id + "\n");
    return proto::k_done;
  }
  if (!args.format.empty() && args.format != "table") {
    for (const auto& row : rows) {
      const auto fields = fields_of(row, stack, args.whole);
      context.out((args.format == "json" ? fields.dump() : filled(args.format, fields)) + "\n");
    }
    return proto::k_done;
  }
  Table table({"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"});
  for (const auto& row : rows)
    table.add({row.name, row.image, short_command(row.command, args.whole), row.service,
               ago_text(row.created_at), row.status, ports_of(row)});
  context.out(table);
  return proto::k_done;
}

}  // namespace stackd::client
