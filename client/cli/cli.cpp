#include "client/cli/cli.hpp"

#include <algorithm>

#include "client/cli/commands.hpp"
#include "client/cli/compose_words.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

// Where the command has a -f of its own (to follow), a file there is --file; before the command -f is always
// a file.
// The same of -p, which is also what a container publishes.
void add_globals(CLI::App& app, Globals& globals, bool short_file, bool short_project = true) {
  constexpr const char* k_group = "Options of every command";
  app.add_flag("--json", globals.json, "The API's own document, or an event a line")->group(k_group);
  app.add_option("--host", globals.host, "The daemon: unix:///path or http://127.0.0.1:PORT")
      ->type_name("URL")
      ->group(k_group);
  app.add_option("-C,--directory", globals.directory, "Go there first")->type_name("DIR")->group(k_group);
  app.add_option(short_file ? "-f,--file" : "--file", globals.files, "The stack file; several are merged")
      ->type_name("FILE")
      ->group(k_group)
      ->expected(1)
      ->allow_extra_args(false)  // the next word is the command
      ->take_all();
  app.add_option(short_project ? "-p,--project,--project-name" : "--project,--project-name", globals.project,
                 "The stack's name or id")
      ->type_name("NAME")
      ->group(k_group);
  const auto several = [&](const char* name, std::vector<std::string>& into, const char* words,
                           const char* type) {
    app.add_option(name, into, words)
        ->type_name(type)
        ->group(k_group)
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
  };
  several("--profile", globals.profiles, "A profile to choose; several can be", "NAME");
  several("--env-file", globals.env_files, "Instead of .env; several are merged", "FILE");
  app.add_option("--project-directory", globals.project_directory,
                 "What relative paths of the file are relative to")
      ->type_name("DIR")
      ->group(k_group);
}

// A command's own parser. `app` must outlive what build() returns.
Run build(const Command& command, CLI::App& app, Globals& globals) {
  app.description(std::string(command.summary));
  app.set_help_flag("-h,--help", "Show this");
  Run run = command.build(app);
  const auto options = app.get_options();
  const auto has = [&](const char* name) {
    return std::any_of(options.begin(), options.end(),
                       [name](const CLI::Option* option) { return option->check_sname(name); });
  };
  add_globals(app, globals, !has("f"), !has("p"));
  app.prefix_command(command.takes_a_command);
  return run;
}

std::string overview() {
  std::string text =
      "stackctl: development stacks, owned by stackd\n\nUsage: stackctl [OPTIONS] COMMAND "
      "[ARGUMENTS]\n\nCommands:\n";
  for (const auto& command : commands())
    text += "  " + pad(command.name, 12) + std::string(command.summary) + "\n";
  text += R"(
Options of every command:
  --json                  The API's own document, or an event a line
  --host URL              The daemon: unix:///path or http://127.0.0.1:PORT
  -C,--directory DIR      Go there first
  -f,--file FILE          The stack file; several are merged
  -p,--project NAME       The stack's name or id
  --profile NAME          A profile to choose; several can be
  --env-file FILE         Instead of .env; several are merged
  --project-directory DIR What relative paths of the file are relative to

Exit codes: 0 done, 1 the operation failed, 2 bad usage or stack file, 3 no daemon, 4 no engine,
5 no such stack, service or operation, 6 another operation runs, 10 --dry-run or diff
found something to do, 130 cancelled.
`stackctl COMMAND --help` shows a command's options.
)";
  return text;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    if (command.name == name) return command;
    names.emplace_back(command.name);
  }
  if (!name.empty() && name[0] == '-')
    throw ClientError(proto::k_bad_usage, "no option " + name + ": `stackctl --help` shows all");
  if (const auto here = instead_of_verb(name); !here.empty())
    throw ClientError(proto::k_bad_usage, "no command '" + name + "': " + here);
  std::string near = nearest(name, names);
  throw ClientError(proto::k_bad_usage,
                    "no command '" + name + "': " +
                        (near.empty() ? "`stackctl --help` shows all" : "did you mean '" + near + "'?"));
}

// CLI11 takes the words in reverse.
void parse(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());
  app.parse(std::move(words));
}

// Help is shown in any case: without a daemon, or a stack file, or with one that is wrong.
void help_more(const Command& command, Globals globals) {
  try {
    Context context(std::move(globals));
    command.more_help(context);
  } catch (const std::exception& error) {
    Context(Globals{}).out(std::string("\nThe stack file's own cannot be shown: ") + error.what() + "\n");
  }
}

// What the command does not take, with the option that was meant.
ClientError unexpected(const Command& command, const CLI::App& app) {
  const auto left = app.remaining();
  const auto option =
      std::find_if(left.begin(), left.end(), [](const auto& word) { return word.starts_with("-"); });
  const std::string name(command.name);
  if (option == left.end())
    return {proto::k_bad_usage, name + " does not take '" + (left.empty() ? "" : left.front()) +
                                    "': `stackctl " + name + " --help` shows what there is"};
  const std::string word = option->substr(0, option->find('='));
  std::vector<std::string> known;
  for (const auto* each : app.get_options())
    for (const auto& long_name : each->get_lnames())
      if (!are_opposites("--" + long_name, word)) known.push_back("--" + long_name);
  if (const auto here = instead_of_option(name, word); !here.empty())
    return {proto::k_bad_usage, name + " has no option " + word + ": " + here};
  const std::string near = nearest(word, known);
  return {proto::k_bad_usage, name + " has no option " + word +
                                  (near.empty() ? ": `stackctl " + name + " --help` shows what there is"
                                                : ": did you mean '" + near + "'?")};
}

int run_one(const Command& command, const std::vector<std::string>& words, Globals globals) {
  CLI::App app("", "stackctl " + std::string(command.name));
  Run run = build(command, app, globals);
  try {
    parse(app, words);
  } catch (const CLI::CallForHelp&) {
    Context(Globals{}).out(app.help());
    if (command.more_help) help_more(command, std::move(globals));
    return proto::k_done;
  } catch (const CLI::ExtrasError&) {
    throw unexpected(command, app);
  } catch (const CLI::ParseError& error) {
    throw ClientError(proto::k_bad_usage, std::string(error.what()) + " (`stackctl " +
                                              std::string(command.name) + " --help` shows what there is)");
  }
  Context context(globals);
  try {
    return run(context);
  } catch (const ApiError& error) {
    if (globals.json)
      context.document(nlohmann::json(error.problem()).dump());  // beside the words for people
    throw;
  }
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments) {
  Globals globals;
  bool version = false;
  CLI::App root("", "stackctl");
  root.set_help_flag("-h,--help");
  root.add_flag("--version,-V", version);
  add_globals(root, globals, true);
  root.prefix_command();  // the rest is the command's
  try {
    parse(root, arguments);
  } catch (const CLI::CallForHelp&) {
    Context(Globals{}).out(overview());
    return proto::k_done;
  } catch (const CLI::ParseError& error) {
    throw ClientError(proto::k_bad_usage,
                      std::string(error.what()) + " (`stackctl --help` shows what there is)");
  }
  std::vector<std::string> words = root.remaining();
  if (version) words = {"version"};
  if (words.empty()) {
    Context(Globals{}).err(overview());
    return proto::k_bad_usage;
  }
  if (words[0] == "help")
    words = words.size() > 1 ? std::vector<std::string>{words[1], "--help"} : std::vector<std::string>{};
  if (words.empty()) {
    Context(Globals{}).out(overview());
    return proto::k_done;
  }
  const Command& command = find_command(words[0]);
  words.erase(words.begin());
  return run_one(command, words, std::move(globals));
}

namespace {

// Which words that only the daemon knows stand there.
std::string words_at(const CLI::Option& option, const std::string& type) {
  if (option.check_lname("project")) return "stack";
  if (option.check_lname("profile")) return "profile";
  if (type == "SERVICE") return "service";
  if (type == "OPERATION") return "operation";
  return type == "RUN" ? "hook" : "";
}

}  // namespace

std::vector<CommandWords> all_commands() {
  std::vector<CommandWords> all;
  for (const auto& command : commands()) {
    Globals globals;
    CLI::App app;
    Run run = build(command, app, globals);
    CommandWords words{std::string(command.name), std::string(command.summary), {}};
    for (const CLI::Option* option : app.get_options()) {
      OptionWords entry{{}, option->get_description(), option->get_expected_max() > 0, {}, false, false};
      for (const auto& name : option->get_snames()) entry.names.push_back("-" + name);
      for (const auto& name : option->get_lnames()) entry.names.push_back("--" + name);
      // IsMember adds its set to the type's name: "POLICY:{always,missing,never}".
      std::string type = option->get_type_name();
      std::size_t open = type.find('{'), close = type.find('}');
      if (open != std::string::npos && close != std::string::npos)
        for (std::size_t start = open + 1; start < close;) {
          std::size_t end = std::min(type.find(',', start), close);
          entry.choices.push_back(type.substr(start, end - start));
          start = end + 1;
        }
      entry.is_file = type == "FILE";
      entry.is_directory = type == "DIR";
      entry.words = words_at(*option, type);
      words.options.push_back(std::move(entry));
    }
    all.push_back(std::move(words));
  }
  return all;
}

}  // namespace stackd::client
