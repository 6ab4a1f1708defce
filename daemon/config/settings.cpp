#include "daemon/config/settings.hpp"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <ostream>

#include "daemon/config/yaml_file.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "proto/paths.hpp"

namespace stackd::config {

namespace {

namespace fs = std::filesystem;
using util::Error;
using util::ErrorKind;

// Reasons only ("expected …"); whoever knows where the value came from puts the place and the key before
// them.
Error bad(const std::string& why) {
  return {ErrorKind::invalid_request, why};
}

// A value and what its text is relative to: a shell's directory, or nothing in a file.
struct Given {
  std::string text;
  bool from_file = false;
  fs::path user_home;
  std::string from;  // the file, variable or flag, for what is shown of a setting
};

fs::path to_path(const Given& given) {
  if (given.text.rfind("~/", 0) == 0) return (given.user_home / given.text.substr(2)).lexically_normal();
  const fs::path path(given.text);
  if (path.is_absolute()) return path.lexically_normal();
  if (given.from_file) throw bad("expected an absolute path, or one that begins with ~/");
  return fs::absolute(path).lexically_normal();
}

int to_number(std::string_view text, int low, int high) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > high)
    throw bad("expected a number from " + std::to_string(low) + " to " + std::to_string(high) + ", got \"" +
              std::string(text) + "\"");
  return number;
}

std::chrono::milliseconds to_duration(const std::string& text) {
  const auto time = util::parse_duration(text);
  if (!time || time->count() < 0) throw bad("expected a time like 30s or 5m, got \"" + text + "\"");
  return *time;
}

// The API runs commands for whoever reaches it, so it never leaves the machine.
std::string to_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  if (colon == std::string::npos || (host != "127.0.0.1" && host != "[::1]"))
    throw bad("expected 127.0.0.1:PORT or [::1]:PORT, got \"" + text + "\"; only this machine may ask");
  to_number(std::string_view(text).substr(colon + 1), 1, 65535);
  return text;
}

std::string to_docker_host(const std::string& text) {
  for (const char* scheme : {"unix://", "tcp://", "http://", "ssh://"})
    if (text.rfind(scheme, 0) == 0 && text.size() > std::string_view(scheme).size()) return text;
  throw bad("expected unix:///PATH or tcp://HOST:PORT, got \"" + text + "\"");
}

std::string to_log_level(const std::string& text) {
  static const std::vector<std::string> k_levels{"trace", "debug", "info", "warning", "error", "off"};
  if (std::find(k_levels.begin(), k_levels.end(), text) == k_levels.end())
    throw bad("expected one of " + util::join(k_levels, ", ") + ", got \"" + text + "\"");
  return text;
}

void set_port_range(Settings& settings, const std::string& text) {
  const auto dash = text.find('-');
  if (dash == std::string::npos) throw bad("expected FIRST-LAST, got \"" + text + "\"");
  const int first = to_number(std::string_view(text).substr(0, dash), 1, 65535);
  const int last = to_number(std::string_view(text).substr(dash + 1), 1, 65535);
  if (last < first) throw bad("expected the lower port first, got \"" + text + "\"");
  settings.port_first = first;
  settings.port_last = last;
}

constexpr int k_many = 1'000'000'000;

// Every setting: its key in daemon.yaml (the flag is --key with dashes), its variables, the strongest first,
// and how its text becomes a value.
struct Key {
  const char* name;
  const char* placeholder;
  const char* help;
  std::vector<const char*> variables;
  void (*set)(Settings&, const Given&);
};

const std::vector<Key>& keys() {
  static const std::vector<Key> k_keys{
      {"home",
       "DIR",
       "where state and logs live",
       {"STACKD_HOME"},
       [](Settings& s, const Given& v) { s.home = to_path(v); }},
      {"socket",
       "FILE",
       "the API's socket",
       {"STACKD_SOCKET"},
       [](Settings& s, const Given& v) { s.socket = to_path(v); }},
      {"listen",
       "ADDRESS",
       "the API on loopback TCP too, 127.0.0.1:PORT, with a token",
       {"STACKD_LISTEN"},
       [](Settings& s, const Given& v) { s.listen = to_listen(v.text); }},
      {"docker_host",
       "URL",
       "the engine, unix:///PATH or tcp://HOST:PORT",
       {"STACKD_DOCKER_HOST", "DOCKER_HOST"},
       [](Settings& s, const Given& v) {
         s.docker_host = to_docker_host(v.text);
         s.docker_host_from = v.from;
       }},
      {"log_level",
       "LEVEL",
       "trace, debug, info, warning, error or off",
       {"STACKD_LOG_LEVEL"},
       [](Settings& s, const Given& v) { s.log_level = to_log_level(v.text); }},
      {"port_range",
       "FIRST-LAST",
       "host ports to allocate from",
       {},
       [](Settings& s, const Given& v) { set_port_range(s, v.text); }},
      {"shim",
       "FILE",
       "stackd-shim, when it is not beside stackd",
       {},
       [](Settings& s, const Given& v) { s.shim = to_path(v); }},
      {"operations_kept",
       "N",
       "ended operations kept for each stack",
       {},
       [](Settings& s, const Given& v) { s.operations_kept = to_number(v.text, 1, k_many); }},
      {"operations_kept_days",
       "DAYS",
       "younger operations are kept anyway",
       {},
       [](Settings& s, const Given& v) { s.operations_kept_days = to_number(v.text, 0, 36'500); }},
      {"events_kept",
       "N",
       "newest events kept",
       {},
       [](Settings& s, const Given& v) { s.events_kept = to_number(v.text, 1000, k_many); }},
      {"service_log_size",
       "BYTES",
       "a process's log is rotated when it is larger",
       {},
       [](Settings& s, const Given& v) { s.service_log_size = to_number(v.text, 4096, k_many); }},
      {"service_logs_kept",
       "N",
       "old logs kept of each process",
       {},
       [](Settings& s, const Given& v) { s.service_logs_kept = to_number(v.text, 0, 100); }},
      {"saved_log_size",
       "BYTES",
       "kept of the log of a container that is removed",
       {},
       [](Settings& s, const Given& v) { s.saved_log_size = to_number(v.text, 4096, k_many); }},
      {"engine_patience",
       "DURATION",
       "how long an operation waits for an engine that it has lost",
       {},
       [](Settings& s, const Given& v) { s.engine_patience = to_duration(v.text); }},
  };
  return k_keys;
}

const Key* find_key(const std::string& name) {
  for (const auto& key : keys())
    if (name == key.name) return &key;
  return nullptr;
}

std::string unknown_key(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& key : keys()) names.emplace_back(key.name);
  const auto near = util::nearest(name, names);
  return "cannot set \"" + name + "\": there is no such setting" +
         (near ? "; did you mean " + *near + "?" : "; known are " + util::join(names, ", "));
}

// Sets what a file says; appends a line to `mistakes` for each thing that is wrong with it.
void apply_file(Settings& settings, const fs::path& file, const Sources& sources,
                std::vector<std::string>& mistakes) {
  for (const auto& entry : read_yaml_file(file)) {
    const std::string place = file.string() + ":" + std::to_string(entry.line) + ": ";
    const Key* key = find_key(entry.key);
    if (!key) {
      mistakes.push_back(place + unknown_key(entry.key));
      continue;
    }
    if (entry.value.empty()) continue;  // "key:" leaves the default
    try {
      key->set(settings, {entry.value, true, sources.user_home, entry.key + " in " + file.string()});
    } catch (const Error& e) {
      mistakes.push_back(place + "cannot set " + entry.key + ": " + e.what());
    }
  }
}

void apply_files(Settings& settings, const Sources& sources, const std::optional<fs::path>& chosen) {
  std::vector<std::string> mistakes;
  if (chosen) {
    apply_file(settings, *chosen, sources, mistakes);
  } else {
    for (auto file = sources.files.rbegin(); file != sources.files.rend(); ++file)
      if (fs::exists(*file)) apply_file(settings, *file, sources, mistakes);
  }
  if (!mistakes.empty()) throw Error(ErrorKind::invalid_file, mistakes.front(), mistakes);
}

void apply_environment(Settings& settings, const Sources& sources) {
  for (const auto& key : keys()) {
    for (const char* variable : key.variables) {
      const auto value = sources.environment(variable);
      if (!value || value->empty()) continue;
      try {
        key.set(settings, {*value, false, sources.user_home, variable});
      } catch (const Error& e) {
        throw e.wrap(std::string("cannot take ") + variable);
      }
      break;
    }
  }
}

// ---- the command line

std::string flag_of(const Key& key) {
  std::string flag = std::string("--") + key.name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

struct CommandLine {
  std::map<std::string, std::string> values;  // key -> text
  std::string config;                         // --config
};

// Nothing when help or version was printed.
std::optional<CommandLine> parse_command_line(int argc, const char* const* argv, std::ostream& out) {
  CommandLine line;
  CLI::App app(
      "stackd owns development stacks: containers, host processes and hooks. It runs in the foreground.",
      "stackd");
  app.set_version_flag("--version", std::string("stackd " STACKD_VERSION), "print the version");
  app.get_formatter()->column_width(34);
  app.footer("Flags win over variables, variables over daemon.yaml (~/.config/stackd/, then /etc/stackd/).");
  app.add_option("--config", line.config, "read this file and no other daemon.yaml")->type_name("FILE");
  for (const auto& key : keys()) {
    std::string help = key.help;
    for (const char* variable : key.variables) help += std::string(", $") + variable;
    app.add_option(flag_of(key), line.values[key.name], help)->type_name(key.placeholder);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    app.exit(e, out, out);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    throw Error(ErrorKind::invalid_request,
                std::string("cannot read the command line: ") + e.what() + "; see stackd --help");
  }
  return line;
}

void apply_flags(Settings& settings, const CommandLine& line, const Sources& sources) {
  for (const auto& key : keys()) {
    const auto& value = line.values.at(key.name);
    if (value.empty()) continue;
    try {
      key.set(settings, {value, false, sources.user_home, flag_of(key)});
    } catch (const Error& e) {
      throw e.wrap("cannot take " + flag_of(key));
    }
  }
}

}  // namespace

Sources Sources::of_process() {
  Sources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = ::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  const auto variable = [&](const char* name) { return sources.environment(name).value_or(""); };
  if (!variable("HOME").empty()) {
    sources.user_home = variable("HOME");
  } else if (const passwd* entry = ::getpwuid(::getuid())) {
    sources.user_home = entry->pw_dir;
  }
  const fs::path config = variable("XDG_CONFIG_HOME").empty() ? sources.user_home / ".config"
                                                              : fs::path(variable("XDG_CONFIG_HOME"));
  sources.files = {config / "stackd/daemon.yaml", "/etc/stackd/daemon.yaml"};
  std::error_code ignored;
  sources.program = fs::read_symlink("/proc/self/exe", ignored);
  return sources;
}

std::optional<Settings> parse_settings(int argc, const char* const* argv, const Sources& sources,
                                       std::ostream& out) {
  const auto line = parse_command_line(argc, argv, out);
  if (!line) return std::nullopt;

  Settings settings;
  std::optional<fs::path> chosen;
  if (!line->config.empty()) chosen = fs::absolute(line->config);
  apply_files(settings, sources, chosen);
  apply_environment(settings, sources);
  apply_flags(settings, *line, sources);

  if (settings.home.empty()) settings.home = proto::default_home();
  if (settings.socket.empty()) settings.socket = proto::default_socket();
  if (settings.shim.empty()) settings.shim = sources.program.parent_path() / "stackd-shim";
  return settings;
}

}  // namespace stackd::config
