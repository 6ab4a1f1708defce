#include "client/cli/help.hpp"

#include <map>

#include "client/text.hpp"

namespace stackd::client {
namespace {

struct Row {
  HelpGroup group;
  std::vector<std::string> examples;
};

const std::map<std::string, Row>& rows() {
  using G = HelpGroup;
  static const std::map<std::string, Row> all{
      {"up", {G::day, {"stackctl up", "stackctl up web --attach  # stays at the logs"}}},
      {"diff", {G::files, {"stackctl diff web  # what an up of web would change"}}},
      {"down", {G::day, {"stackctl down", "stackctl down -v  # with its volumes"}}},
      {"status", {G::look, {"stackctl status --watch"}}},
      {"wait", {G::look, {"stackctl wait --for healthy --timeout 90s db"}}},
      {"ls", {G::look, {"stackctl ls -a"}}},
      {"build", {G::files, {"stackctl build --no-cache web"}}},
      {"pull", {G::files, {"stackctl pull --policy missing"}}},
      {"push", {G::files, {"stackctl push web"}}},
      {"restart", {G::day, {"stackctl restart web"}}},
      {"stop", {G::day, {"stackctl stop -t 5 web"}}},
      {"start", {G::day, {"stackctl start web"}}},
      {"cancel", {G::day, {"stackctl cancel"}}},
      {"rollback", {G::day, {"stackctl rollback  # after a failed up --keep"}}},
      {"attach", {G::day, {"stackctl attach  # the running operation", "stackctl attach --no-stdin web"}}},
      {"create", {G::day, {"stackctl create web"}}},
      {"cp", {G::day, {"stackctl cp web:/var/log/app.log .", "stackctl cp fixtures/. db:/fixtures"}}},
      {"images", {G::look, {"stackctl images --format json"}}},
      {"stats", {G::look, {"stackctl stats --no-stream"}}},
      {"logs", {G::look, {"stackctl logs -f --since 10m web", "stackctl logs after_up  # of a hook"}}},
      {"hooks", {G::look, {"stackctl hooks 'after_up[0]'", "stackctl hooks run db.post_start"}}},
      {"timeline", {G::look, {"stackctl timeline"}}},
      {"events", {G::look, {"stackctl events -p shop", "stackctl events --compose --since 10m"}}},
      {"urls", {G::look, {"stackctl urls"}}},
      {"top", {G::look, {"stackctl top"}}},
      {"env", {G::day, {"source <(stackctl env)"}}},
      {"exec", {G::day, {"stackctl exec db psql -U postgres", "stackctl exec -- make test  # on this host"}}},
      {"run",
       {G::day, {"stackctl run --rm web rake db:migrate", "stackctl run seed  # of the file's commands"}}},
      {"ps", {G::look, {"stackctl ps --format json"}}},
      {"kill", {G::day, {"stackctl kill -s HUP web"}}},
      {"pause", {G::day, {"stackctl pause db"}}},
      {"unpause", {G::day, {"stackctl unpause"}}},
      {"port", {G::look, {"stackctl port db 5432"}}},
      {"rm", {G::day, {"stackctl rm -fs cache"}}},
      {"scale", {G::day, {"stackctl scale web=3"}}},
      {"volumes", {G::look, {"stackctl volumes -q"}}},
      {"validate", {G::files, {"stackctl validate"}}},
      {"config", {G::files, {"stackctl config --services", "stackctl config --format json"}}},
      {"graph", {G::files, {"stackctl graph --dot | dot -Tsvg > graph.svg"}}},
      {"init", {G::files, {"stackctl init"}}},
      {"schema", {G::files, {"stackctl schema > stackd.schema.json"}}},
      {"prune", {G::daemon, {"stackctl prune --dry-run"}}},
      {"nuke", {G::daemon, {"stackctl nuke -y"}}},
      {"daemon", {G::daemon, {"stackctl daemon status", "stackctl daemon install"}}},
      {"completion", {G::daemon, {"stackctl completion install", "source <(stackctl completion bash)"}}},
      {"version", {G::daemon, {"stackctl version --short"}}},
  };
  return all;
}

// A dash of roff's is a hyphen, and a dot or a quote at a line's beginning is a request.
std::string roff(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\')
      safe += "\\e";
    else if (c == '-')
      safe += "\\-";
    else
      safe += c;
  }
  if (!safe.empty() && (safe[0] == '.' || safe[0] == '\'')) safe.insert(0, "\\&");
  return safe;
}

std::string title(const std::string& name) {
  return ".TH " + name + " 1 \"\" \"stackd " STACKD_VERSION "\" \"stackd\"\n";
}

std::string option_names(const OptionWords& option) {
  std::string text;
  for (const auto& name : option.names) text += (text.empty() ? "" : ", ") + name;
  if (option.names.empty()) return option.value;
  return option.takes_value ? text + " " + (option.value.empty() ? "VALUE" : option.value) : text;
}

std::string options_section(const CommandWords& command, bool positional) {
  std::string text;
  for (const auto& option : command.options) {
    if (option.names.empty() != positional || option.description.empty()) continue;
    text += ".TP\n.B " + roff(option_names(option)) + "\n" + roff(option.description);
    if (!option.choices.empty()) text += ": " + roff(join(option.choices, ", "));
    text += "\n";
  }
  return text;
}

}  // namespace

const char* title_of(HelpGroup group) {
  switch (group) {
    case HelpGroup::day:
      return "Day to day";
    case HelpGroup::look:
      return "Looking";
    case HelpGroup::files:
      return "Files and images";
    case HelpGroup::daemon:
      break;
  }
  return "The daemon and this machine";
}

HelpGroup group_of(const std::string& command) {
  return rows().at(command).group;
}

std::vector<std::string> examples_of(const std::string& command) {
  return rows().at(command).examples;
}

std::string man_page(const CommandWords& command) {
  std::string text = title("STACKCTL\\-" + command.name);
  text += ".SH NAME\nstackctl\\-" + roff(command.name) + " \\- " + roff(command.description) + "\n";
  text += ".SH SYNOPSIS\n.B stackctl " + roff(command.name) + "\n[OPTIONS]";
  const auto arguments = options_section(command, true);
  for (const auto& option : command.options)
    if (option.names.empty() && !option.value.empty()) text += " [" + roff(option.value) + "...]";
  if (command.name == "exec" || command.name == "run") text += " [SERVICE] [COMMAND...]";
  text += "\n";
  if (!arguments.empty()) text += ".SH ARGUMENTS\n" + arguments;
  text += ".SH OPTIONS\n" + options_section(command, false) + ".SH EXAMPLES\n.nf\n";
  for (const auto& example : examples_of(command.name)) text += roff(example) + "\n";
  return text + ".fi\n.SH SEE ALSO\n.BR stackctl (1)\n";
}

std::string man_overview(const std::vector<CommandWords>& commands) {
  std::string text = title("STACKCTL");
  text +=
      ".SH NAME\nstackctl \\- development stacks, owned by stackd\n.SH SYNOPSIS\n.B stackctl\n"
      "[OPTIONS] COMMAND [ARGUMENTS]\n.SH COMMANDS\n";
  for (const auto group : {HelpGroup::day, HelpGroup::look, HelpGroup::files, HelpGroup::daemon}) {
    text += ".SS " + std::string(title_of(group)) + "\n";
    for (const auto& command : commands)
      if (group_of(command.name) == group)
        text += ".TP\n.BR stackctl\\-" + roff(command.name) + " (1)\n" + roff(command.description) + "\n";
  }
  return text;
}

}  // namespace stackd::client
