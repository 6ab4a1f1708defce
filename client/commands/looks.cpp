// stackctl images and stats, in Compose's and Docker's columns.
#include <algorithm>
#include <cstdio>

#include "client/commands/containers.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

constexpr std::size_t k_short_id = 12;

std::string short_id(const std::string& id) {
  const auto bare = id.starts_with("sha256:") ? id.substr(7) : id;
  return bare.substr(0, k_short_id);
}

std::string with_unit(double value, const char* const (&units)[5], double step, const char* format) {
  std::size_t unit = 0;
  while (value >= step && unit < 4) {
    value /= step;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return std::string(text) + units[unit];
}
// As Docker has them: "1.94MB", and of memory "45.2MiB".
std::string decimal_size(std::int64_t bytes) {
  return with_unit(static_cast<double>(bytes), {"B", "kB", "MB", "GB", "TB"}, 1000, "%.3g");
}
std::string binary_size(std::int64_t bytes) {
  return with_unit(static_cast<double>(bytes), {"B", "KiB", "MiB", "GiB", "TiB"}, 1024, "%.4g");
}
std::string percent(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f%%", value);
  return text;
}

nlohmann::json values_of(const proto::StatsRow& row, bool whole) {
  const double share =
      row.memory_limit ? 100.0 * static_cast<double>(row.memory_bytes) / static_cast<double>(row.memory_limit)
                       : 0;
  const auto id = whole ? row.id : short_id(row.id);
  return {{"BlockIO", decimal_size(row.block_in) + " / " + decimal_size(row.block_out)},
          {"CPUPerc", percent(row.cpu_percent)},
          {"Container", id.empty() ? row.name : id},
          {"ID", id},
          {"MemPerc", percent(share)},
          {"MemUsage", binary_size(row.memory_bytes) + " / " +
                           (row.memory_limit ? binary_size(row.memory_limit) : std::string("-"))},
          {"Name", row.name},
          {"NetIO", decimal_size(row.network_in) + " / " + decimal_size(row.network_out)},
          {"PIDs", std::to_string(row.pids)}};
}

void show(const Context& context, const StatsArgs& args, const proto::Stats& stats) {
  const bool table = args.format.empty() || args.format == "table";
  Table rows({"CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"});
  std::string text;
  for (const auto& row : stats.rows) {
    const auto values = values_of(row, args.whole);
    const auto field = [&](const char* name) { return values.at(name).get<std::string>(); };
    if (args.format == "json")
      text += values.dump() + "\n";
    else if (!table)
      text += filled(args.format, values) + "\n";
    else
      rows.add({field("ID").empty() ? "(process)" : field("ID"), field("Name"), field("CPUPerc"),
                field("MemUsage"), field("MemPerc"), field("NetIO"), field("BlockIO"), field("PIDs")});
  }
  // A screen of its own each time, as `docker stats` has it.
  constexpr const char* k_clear = "\x1b[H\x1b[J";
  const bool live = !args.no_stream && context.terminal();
  if (table) text = rows.text(context.colour(), context.width());
  context.out((live && table ? k_clear : "") + text);
}

}  // namespace

int run_image_list(Context& context, const ImageListArgs& args) {
  const proto::Stack stack = context.stack();
  for (const auto& service : args.services) check_service(stack, service);
  const std::string document = context.api().get(target::stack(stack.id) + "/images");
  if (context.json()) {
    context.document(document);
    return proto::k_done;
  }
  auto rows = nlohmann::json::parse(document).at("images").get<std::vector<proto::ImageRow>>();
  std::erase_if(rows, [&](const proto::ImageRow& row) {
    return !args.services.empty() &&
           std::find(args.services.begin(), args.services.end(), row.service) == args.services.end();
  });
  Table table({"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"});
  auto list = nlohmann::json::array();
  std::vector<std::string> ids;
  for (const auto& row : rows) {
    table.add({row.container, row.repository, row.tag, row.platform, short_id(row.id), decimal_size(row.size),
               ago_text(row.created_at)});
    list.push_back({{"ID", row.id},
                    {"ContainerName", row.container},
                    {"Repository", row.repository},
                    {"Tag", row.tag},
                    {"Platform", row.platform},
                    {"Size", row.size},
                    {"Created", row.created_at}});
    const auto id = row.id.starts_with("sha256:") ? row.id.substr(7) : row.id;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  if (args.quiet)
    for (const auto& id : ids) context.out(id + "\n");
  else if (args.format == "json")
    context.document(list.dump());
  else
    context.out(table);
  return proto::k_done;
}

int run_stats(Context& context, const StatsArgs& args) {
  const proto::Stack stack = context.stack();
  for (const auto& service : args.services) check_service(stack, service);
  std::string target = target::stack(stack.id) + "/stats?stream=" + (args.no_stream ? "0" : "1");
  if (args.all) target += "&all=1";
  for (const auto& service : args.services) target += "&service=" + percent_encode(service);
  auto stream = context.api().stream(target, "application/x-ndjson");
  std::string buffer;
  while (stream.connection.read(buffer, k_never) == Read::data)
    for (std::size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1)) {
      const auto line = buffer.substr(0, end);
      if (context.json())
        context.document(line);
      else
        show(context, args, nlohmann::json::parse(line).get<proto::Stats>());
    }
  return proto::k_done;
}

}  // namespace stackd::client
