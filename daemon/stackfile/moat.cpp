// A whole moat.yaml: one container with the stack's directory at /workspace, and one for each service that it
// depends on. What stackd cannot honour is one warning each.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "daemon/compose/short_forms.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/stackfile/moat_services.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"
#include "daemon/stackfile/vocabularies.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr std::string_view k_workspace = "/workspace";
constexpr std::string_view k_default_image = "debian:bookworm-slim";
constexpr std::int64_t k_megabyte = 1024 * 1024;

struct Language {
  std::string_view name, image, suffix, version;
};
// The images that Moat takes for a runtime, and the version when none is given.
constexpr std::array<Language, 3> k_runtimes{
    {{"node", "node", "-slim", "22"}, {"python", "python", "-slim", "3.11"}, {"go", "golang", "", "1.22"}}};

// Keys that are accepted and have no meaning here: agents, policies, tracing.
constexpr std::array k_unhonoured{"agents", "claude",  "codex",   "gemini",    "language_servers",
                                  "mcp",    "network", "tracing", "snapshots", "clipboard"};
constexpr std::array k_keys{"name",        "agent",    "version", "sandbox",      "base_image", "command",
                            "interactive", "env",      "secrets", "dependencies", "mounts",     "volumes",
                            "container",   "services", "hooks",   "ports",        "runtime",    "grants"};

struct Wish {
  std::string name, version, text;
  Place place;
};

class MoatDecoder {
public:
  MoatDecoder(const Value& document, DecodeContext& context, Spec& spec)
      : context_(context),
        problems_(context.problems),
        spec_(spec),
        top_(document, "the file", context.problems) {
    main_.name = "main";
    main_.place = document.place;
    main_.container.emplace();
  }

  void decode() {
    note_references(top_.value(), spec_);
    spec_.networks["default"].name = spec_.name + "_default";
    Container& container = *main_.container;
    container.working_dir = k_workspace;
    container.networks["default"] = {};
    decode_dependencies();
    if (const auto image = top_.maybe_string("base_image")) container.image = *image;
    decode_command();
    decode_environment();
    decode_mounts();
    decode_volumes();
    decode_ports();
    decode_resources();
    if (const Value* hooks = top_.get("hooks")) decode_moat_hooks(*hooks, main_.name, context_, main_.hooks);
    note_the_rest();
    top_.finish();
    spec_.services.insert(spec_.services.begin(), std::move(main_));
  }

private:
  void warn(const std::string& text) { spec_.warnings.push_back(text); }

  // ---- dependencies

  static Wish parse(std::string text, const Place& place) {
    const std::size_t at = text.rfind('@');
    const bool versioned = at != std::string::npos && at > 0;
    return {text.substr(0, versioned ? at : std::string::npos), versioned ? text.substr(at + 1) : "", text,
            place};
  }

  void decode_dependencies() {
    std::vector<Wish> runtimes, others;
    std::set<std::string> services;
    if (const Value* list = top_.get("dependencies")) {
      for (const Value& item : list->is_sequence() ? list->items : std::vector{*list}) {
        const auto text = scalar(item, "'dependencies'", problems_);
        if (!text) continue;
        const Wish wish = parse(*text, item.place);
        if (is_runtime(wish.name)) {
          runtimes.push_back(wish);
        } else if (moat_service(wish.name)) {
          services.insert(wish.name);
          add_service(wish);
        } else {
          others.push_back(wish);
        }
      }
    }
    choose_image(runtimes);
    for (const Wish& wish : others) {
      warn("dependency '" + wish.text +
           "' is not installed: put it into base_image, or install it in hooks.post_build_root");
    }
    refuse_unknown_services(services);
  }

  static bool is_runtime(const std::string& name) {
    return std::any_of(k_runtimes.begin(), k_runtimes.end(),
                       [&](const Language& one) { return one.name == name; });
  }

  // M2.2: the language's image when there is exactly one.
  void choose_image(const std::vector<Wish>& runtimes) {
    main_.container->image = k_default_image;
    if (top_.get("base_image") || runtimes.size() != 1) {
      for (const Wish& wish : runtimes) {
        warn("dependency '" + wish.text + "' is not installed: " +
             (top_.get("base_image")
                  ? "base_image has to bring it"
                  : "only a single runtime becomes the image; give a base_image that has both"));
      }
      return;
    }
    const Wish& wish = runtimes.front();
    const auto runtime = std::find_if(k_runtimes.begin(), k_runtimes.end(),
                                      [&](const Language& one) { return one.name == wish.name; });
    main_.container->image = std::string(runtime->image) + ":" +
                             (wish.version.empty() ? std::string(runtime->version) : wish.version) +
                             std::string(runtime->suffix);
  }

  void add_service(const Wish& wish) {
    if (spec_.find(wish.name)) return;
    const Value* all = top_.get("services");
    const Value* own = all ? all->find(wish.name) : nullptr;
    MoatSettings settings;
    if (own && !own->is_null()) {
      Reader reader(*own, "service '" + wish.name + "'", problems_);
      settings.env = reader.string_map("env");
      settings.image = reader.string("image");
      settings.memory = reader.integer("memory").value_or(0) * k_megabyte;
      settings.wait = reader.boolean("wait", true);
      reader.finish();
    }
    for (auto setting = settings.env.begin(); setting != settings.env.end();) {
      const bool external = is_external(setting->second);
      if (external)
        warn("services." + wish.name + ".env." + setting->first +
             " is not honoured: stackd reads no secrets from other places");
      setting = external ? settings.env.erase(setting) : std::next(setting);
    }
    MoatService made =
        make_moat_service(*moat_service(wish.name), wish.version, settings, context_.directory);
    made.service.place = wish.place;
    for (auto& [name, value] : made.variables) main_.environment.env[name] = value;
    // Not granted to any container: it is here to be masked wherever it appears.
    spec_.secrets[wish.name + "_password"] = {spec_.name + "_" + wish.name + "_password", false, "", "",
                                              made.password};
    main_.depends_on[wish.name] = {settings.wait ? Condition::healthy : Condition::started, true, false};
    main_.depends_on_given = true;
    spec_.services.push_back(std::move(made.service));
  }

  void refuse_unknown_services(const std::set<std::string>& known) {
    const Value* all = top_.get("services");
    if (!all) return;
    for (const Entry& entry : all->entries) {
      if (known.contains(entry.key)) continue;
      const auto near = util::nearest(entry.key, {known.begin(), known.end()});
      problems_.add(entry.place, "'services': '" + entry.key + "' is not in 'dependencies'" +
                                     (near ? ", did you mean '" + *near + "'?" : ""));
    }
  }

  // ---- the container

  void decode_command() {
    const Value* command = top_.get("command");
    if (command && command->is_scalar()) {
      try {
        main_.container->command = util::split_words(command->text);
      } catch (const util::Error& error) {
        problems_.add(command->place, std::string("'command': ") + error.what());
      }
    } else if (command) {
      main_.container->command = top_.strings("command");
    }
    if (command && main_.container->command && main_.container->command->empty())
      problems_.add(command->place, "'command' is empty");
    if (top_.boolean("interactive")) main_.container->tty = main_.container->stdin_open = true;
  }

  static bool is_external(const std::string& value) {
    return value.starts_with("op://") || value.starts_with("ssm://");
  }

  void decode_environment() {
    auto& env = main_.environment.env;
    for (const auto& [name, value] : top_.string_map("env")) env[name] = value;
    for (const auto& [name, value] : top_.string_map("secrets")) {
      constexpr std::string_view k_env = "env://";
      const auto& caller = context_.request.environment;
      const auto found = value.starts_with(k_env) ? caller.find(value.substr(k_env.size())) : caller.end();
      if (found == caller.end()) {
        warn("secret " + name + " is not set: " +
             (value.starts_with(k_env) ? "the variable " + value.substr(k_env.size()) + " is not set either"
                                       : std::string("stackd reads no secrets from other places")));
        continue;
      }
      env[name] = found->second;
      spec_.secrets[name] = {name, false, "", found->first, ""};
    }
  }

  void decode_mounts() {
    bool workspace_given = false;
    if (const Value* list = top_.get("mounts")) {
      for (const Value& item : list->is_sequence() ? list->items : std::vector{*list}) {
        Mount mount = item.is_mapping() ? mount_from(item) : mount_from_text(item);
        workspace_given = workspace_given || mount.target == k_workspace;
        if (!mount.target.empty()) main_.container->mounts.push_back(std::move(mount));
      }
    }
    if (workspace_given) return;
    Mount workspace;
    workspace.type = "bind";
    workspace.source = context_.directory;
    workspace.target = k_workspace;
    main_.container->mounts.insert(main_.container->mounts.begin(), std::move(workspace));
    main_.container->mount_workspace = true;
  }

  Mount bind(const std::string& source, const std::string& target, const std::string& mode,
             const Place& place) {
    Mount mount;
    mount.type = "bind";
    mount.source = absolute_path(source, context_.directory, context_.request.environment);
    mount.target = target;
    mount.read_only = mode == "ro";
    if (source.empty() || !target.starts_with('/')) {
      problems_.add(place, "'mounts': expected <host path>:<container path>[:ro], the latter absolute");
      mount.target.clear();
    }
    if (!mode.empty() && mode != "ro" && mode != "rw")
      problems_.add(place, "'mounts': expected mode ro or rw, found '" + mode + "'");
    return mount;
  }

  Mount mount_from_text(const Value& item) {
    auto parts = util::split(scalar(item, "'mounts'", problems_).value_or(""), ':');
    parts.resize(std::max<std::size_t>(parts.size(), 3));
    return bind(parts[0], parts[1], parts[2], item.place);
  }

  Mount mount_from(const Value& item) {
    Reader reader(item, "'mounts'", problems_);
    const std::string source = reader.string("source");
    const std::string target = reader.string("target");
    const std::string mode = reader.string("mode");
    for (const std::string& path : reader.strings("exclude")) {
      main_.container->tmpfs.push_back((std::filesystem::path(target) / path).lexically_normal().string());
    }
    reader.finish();
    return bind(source, target, mode, item.place);
  }

  void decode_volumes() {
    const Value* list = top_.get("volumes");
    if (!list) return;
    if (!list->is_sequence()) problems_.add(list->place, "'volumes': expected a list");
    for (const Value& item : list->items) {
      Reader reader(item, "'volumes'", problems_);
      Mount mount;
      mount.type = "volume";
      mount.source = reader.string("name");
      mount.target = reader.string("target");
      mount.read_only = reader.boolean("readonly");
      reader.finish();
      if (mount.source.empty() || !mount.target.starts_with('/')) {
        problems_.add(item.place, "'volumes': expected a 'name' and an absolute 'target'");
        continue;
      }
      spec_.volumes[mount.source].name = spec_.name + "_" + mount.source;
      main_.container->mounts.push_back(std::move(mount));
    }
  }

  void decode_ports() {
    const Value* ports = top_.get("ports");
    if (!ports) return;
    if (!ports->is_mapping()) problems_.add(ports->place, "'ports': expected a mapping of names");
    for (const Entry& entry : ports->entries) {
      const auto number = entry.value.is_scalar() ? parse_port_range(entry.value.text) : std::nullopt;
      if (!number || number->first == 0 || number->second != 0) {
        problems_.add(entry.value.place, "'ports." + entry.key + "': expected a port from 1 to 65535");
        continue;
      }
      Port port;
      port.key = entry.key;
      port.target = number->first;
      port.place = entry.place;
      main_.ports.push_back(std::move(port));
    }
  }

  void decode_resources() {
    const Value* value = top_.get("container");
    if (!value) return;
    Reader reader(*value, "'container'", problems_);
    Container& container = *main_.container;
    container.mem_limit = reader.integer("memory").value_or(0) * k_megabyte;
    container.cpus = reader.number("cpus").value_or(0);
    container.dns = reader.strings("dns");
    if (const Value* limits = reader.get("ulimits")) {
      for (const Entry& entry : limits->entries) {
        Reader one(entry.value, "'container', 'ulimits." + entry.key + "'", problems_);
        container.ulimits.push_back(
            {entry.key, one.integer("soft").value_or(-1), one.integer("hard").value_or(-1)});
        one.finish();
      }
    }
    reader.finish();
  }

  // ---- what stackd does not do

  void note_the_rest() {
    for (const std::string& grant : top_.strings("grants")) {
      warn("grant '" + grant + "' is not honoured: stackd injects no credentials");
    }
    for (const char* key : k_unhonoured) {
      if (!top_.get(key)) continue;
      warn(std::string("'") + key + "' is not honoured: " +
           (std::string_view(key) == "network" ? "the container reaches what the engine's network reaches"
                                               : "stackd runs no agents"));
    }
    for (const Entry& entry : top_.value().entries) note_unknown(entry);
    const std::string runtime = top_.string("runtime");
    if (!runtime.empty() && runtime != "docker")
      warn("runtime '" + runtime + "' is not honoured: stackd talks to the engine");
    top_.ignore({"name", "agent", "version", "sandbox"});
  }

  // A newer Moat may know it; what looks like a slip of the hand stays a mistake.
  void note_unknown(const Entry& entry) {
    std::vector<std::string> known(k_keys.begin(), k_keys.end());
    known.insert(known.end(), k_unhonoured.begin(), k_unhonoured.end());
    const bool is_known = std::find(known.begin(), known.end(), entry.key) != known.end();
    if (is_known || util::nearest(entry.key, known) || entry.key.starts_with("x-")) return;
    warn("'" + entry.key + "' is not honoured: stackd does not know it");
    top_.ignore({entry.key});
  }

  DecodeContext& context_;
  Problems& problems_;
  Spec& spec_;
  Reader top_;
  Service main_;
};

}  // namespace

void decode_moat(const Value& document, DecodeContext& context, Spec& spec) {
  MoatDecoder(document, context, spec).decode();
}

}  // namespace stackd::stackfile
