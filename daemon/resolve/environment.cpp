#include "daemon/resolve/environment.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::resolve {

namespace {

namespace fs = std::filesystem;
using util::Error;
using util::ErrorKind;

constexpr std::size_t k_shortest_secret = 4;
constexpr std::size_t k_shortest_secret_line = 8;

// A container's idea of these would break the commands of the host.
constexpr std::array<std::string_view, 7> k_container_only{
    "PATH", "HOME", "USER", "SHELL", "PWD", "LD_LIBRARY_PATH", "LD_PRELOAD"};

// What a value may hold: nothing of stackd's, Lich's references, or what Compose has interpolated already.
enum class Source { as_is, values, compose };

// Environment under construction: levels are laid over each other, nulls decide last (L6.2), then values are
// resolved.
class Builder {
public:
  Builder(const Spec& spec, const Facts& facts) : spec_(spec), facts_(facts) {}

  void caller() {
    for (const auto& [name, value] : facts_.caller) put(name, value, Source::as_is, false);
  }

  // L6.1: just above the caller's, so that files can override them.
  void identity() {
    set("LICH_WORKTREE", worktree_name(spec_));
    set("LICH_STACK_ID", facts_.stack_id);
    set("LICH_PROFILE", spec_.profile);
  }
  void stackd_identity() {
    set("STACKD_STACK", spec_.name);
    set("STACKD_STACK_ID", facts_.stack_id);
    set("STACKD_PROFILE", spec_.profile);
  }

  // `lenient`: values that are not known yet are left out instead of being an error.
  void layer(const EnvLayer& layer, const std::string& name, Source source, bool lenient) {
    for (const EnvSource& from : layer.from) {
      if (from.variable.empty()) continue;
      const auto found = facts_.caller.find(from.variable);
      if (found != facts_.caller.end()) put(found->first, found->second, Source::as_is, false);
    }
    if (const auto output = facts_.env_from.find(name); output != facts_.env_from.end()) {
      for (const auto& [key, value] : output->second) put(key, value, Source::as_is, false);
    }
    for (const auto& [key, value] : layer.file_env) put(key, value, source, lenient);
    for (const auto& [key, value] : layer.env) put(key, value, source, lenient);
  }

  void stack_layers() {
    layer(spec_.env, "stack", Source::values, true);
    layer(spec_.profile_env, "profile", Source::values, true);
  }

  void ports(const Service& service) {
    const auto allocated = facts_.ports.find(service.name);
    for (const Port& port : service.ports) {
      if (port.env.empty()) continue;
      int number = port.published_end ? 0 : port.published;
      if (allocated != facts_.ports.end()) {
        if (const auto found = allocated->second.find(port.key); found != allocated->second.end())
          number = found->second;
      }
      if (number != 0) set(port.env, std::to_string(number));
    }
  }
  void all_ports() {
    for (const Service& service : spec_.services) ports(service);
  }
  void container_ports() {
    for (const Service& service : spec_.services) {
      if (service.container) ports(service);
    }
  }

  Variables finish() const {
    Variables out;
    for (const auto& [name, cell] : cells_) {
      if (!cell.value) continue;
      if (auto value = resolved(name, cell)) out.emplace(name, std::move(*value));
    }
    return out;
  }

  // As finish(), but what is not known yet stands as it is written.
  Variables finish_as_far_as_known() const {
    Variables out;
    for (const auto& [name, cell] : cells_) {
      if (!cell.value) continue;
      Cell lenient = cell;
      lenient.lenient = true;
      out.emplace(name, resolved(name, lenient).value_or(*cell.value));
    }
    return out;
  }

private:
  struct Cell {
    std::optional<std::string> value;  // nothing: the variable is removed
    Source source = Source::as_is;
    bool lenient = false;
  };

  void put(const std::string& name, const std::optional<std::string>& value, Source source, bool lenient) {
    cells_.insert_or_assign(name, Cell{value, source, lenient});
  }
  void set(const std::string& name, const std::string& value) {
    if (!value.empty()) put(name, value, Source::as_is, false);
  }

  std::optional<std::string> resolved(const std::string& name, const Cell& cell) const {
    if (cell.source == Source::as_is) return cell.value;
    const auto strictness = cell.source == Source::compose ? Strictness::text : Strictness::value;
    try {
      if (cell.lenient) return resolved_if_known(*cell.value, strictness, spec_, facts_);
      return resolve::resolved(*cell.value, strictness, spec_, facts_);
    } catch (const Error& error) {
      throw error.wrap("cannot set " + name);
    }
  }

  const Spec& spec_;
  const Facts& facts_;
  std::map<std::string, Cell> cells_;
};

Source source_of(const Service& service) {
  return service.owned ? Source::values : Source::compose;
}

void put_common(Builder& builder) {
  builder.caller();
  builder.identity();
  builder.stackd_identity();
  builder.stack_layers();
}

void put_stack(Builder& builder) {
  put_common(builder);
  builder.all_ports();
}

void put_process(Builder& builder, const Service& service, bool lenient = false) {
  put_common(builder);
  builder.container_ports();  // not other processes' PORT, on which this one might listen
  builder.layer(service.environment, "service:" + service.name, source_of(service), lenient);
  builder.ports(service);
}

// What a container gets.
void put_inside(Builder& builder, const Spec& spec, const Service& service) {
  if (spec.format == "lich") builder.identity();
  builder.stack_layers();
  builder.layer(service.environment, "service:" + service.name, source_of(service), false);
  builder.ports(service);
}

// A container's, for a command of the host.
void put_container(Builder& builder, const Service& service, bool lenient = false) {
  EnvLayer layer = service.environment;
  for (const std::string_view name : k_container_only) {
    layer.env.erase(std::string(name));
    layer.file_env.erase(std::string(name));
  }
  builder.layer(layer, "service:" + service.name, source_of(service), lenient);
  builder.ports(service);
}

// L3.1: the canonical PWD, and the commands of the node packages from this directory up to the stack's.
Variables placed(Variables variables, const std::string& cwd, const Spec& spec, const Facts& facts) {
  const auto here = canonical(facts.seen, cwd);
  variables["PWD"] = here;
  std::vector<std::string> path;
  for (const auto& level : package_levels(here, canonical(facts.seen, spec.directory))) {
    if (facts.seen.node_packages.contains(level))
      path.push_back((fs::path(level) / "node_modules" / ".bin").string());
  }
  if (path.empty()) return variables;
  if (const auto found = variables.find("PATH"); found != variables.end() && !found->second.empty())
    path.push_back(found->second);
  variables["PATH"] = util::join(path, ":");
  return variables;
}

// The group and what it extends, outermost first. `stack` ends it and is not in it.
std::vector<std::string> group_chain(const Spec& spec, const std::string& group, bool& extends_stack) {
  std::vector<std::string> chain;
  for (std::string name = group; !name.empty();) {
    if (name == "stack") {
      extends_stack = true;
      break;
    }
    const auto found = spec.env_groups.find(name);
    if (found == spec.env_groups.end()) {
      std::vector<std::string> names{"stack"};
      for (const auto& [known, unused] : spec.env_groups) names.push_back(known);
      throw Error(ErrorKind::not_found, "there is no env_group '" + name + "'" + hint(name, names));
    }
    if (std::find(chain.begin(), chain.end(), name) != chain.end()) break;  // refused when the file is loaded
    chain.push_back(name);
    name = found->second.extends;
  }
  return chain;
}

void put_group(Builder& builder, const Spec& spec, const std::string& group, bool lenient = false) {
  bool extends_stack = false;
  const auto chain = group_chain(spec, group, extends_stack);
  const bool process_env =
      chain.empty() || spec.env_groups.at(chain.front()).process_env;  // L6.7: the outermost one's
  if (process_env) builder.caller();
  builder.identity();
  builder.stackd_identity();
  if (extends_stack) {
    builder.stack_layers();
    builder.all_ports();
  }
  for (auto name = chain.rbegin(); name != chain.rend(); ++name)
    builder.layer(spec.env_groups.at(*name).layer, "group:" + *name, Source::values, lenient);
}

std::string absolute(const std::string& path, const std::string& directory) {
  return path.empty() ? directory : (fs::path(directory) / path).lexically_normal().string();
}

std::string process_directory(const Spec& spec, const Service& service) {
  return service.process && !service.process->cwd.empty() ? service.process->cwd : spec.directory;
}

std::string hook_directory(const Spec& spec, const Facts& facts, const Hook& hook) {
  return absolute(resolved(hook.cwd, Strictness::shell, spec, facts), spec.directory);
}

// ---- secrets

class SecretList {
public:
  // Of a text with several lines, the long ones by themselves too: output comes line by line.
  void add(const std::string& text) {
    add_one(text);
    const auto lines = util::split(text, '\n');
    if (lines.size() < 2) return;
    for (const std::string& line : lines) {
      if (util::trim(line).size() >= k_shortest_secret_line) add_one(line);
    }
  }

  std::vector<std::string> take() {
    std::sort(values_.begin(), values_.end(), [](const std::string& a, const std::string& b) {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    return std::move(values_);
  }

private:
  void add_one(const std::string& text) {
    std::string value(util::trim(text));
    if (value.size() < k_shortest_secret || value == "true" || value == "false")
      return;  // words of any output
    values_.push_back(std::move(value));
  }

  std::vector<std::string> values_;
};

template <class Act>
void each_layer(const Spec& spec, Act act) {
  act("stack", spec.env);
  act("profile", spec.profile_env);
  for (const Service& service : spec.services) act("service:" + service.name, service.environment);
  for (const auto& [name, group] : spec.env_groups) act("group:" + name, group.layer);
}

}  // namespace

Variables stack_environment(const Spec& spec, const Facts& facts) {
  Builder builder(spec, facts);
  put_stack(builder);
  return placed(builder.finish(), spec.directory, spec, facts);
}

Variables process_environment(const Spec& spec, const Facts& facts, const Service& service) {
  Builder builder(spec, facts);
  put_process(builder, service);
  return placed(builder.finish(), process_directory(spec, service), spec, facts);
}

Variables container_environment(const Spec& spec, const Facts& facts, const Service& service) {
  Builder builder(spec, facts);
  put_inside(builder, spec, service);
  return builder.finish();
}

Variables file_environment(const Spec& spec, const Facts& facts) {
  Builder builder(spec, facts);
  builder.identity();
  builder.stack_layers();
  return builder.finish();
}

Variables container_definition(const Spec& spec, const Facts& facts, const Service& service) {
  Builder builder(spec, facts);
  put_inside(builder, spec, service);
  return builder.finish_as_far_as_known();
}

Variables group_environment(const Spec& spec, const Facts& facts, const std::string& group) {
  Builder builder(spec, facts);
  put_group(builder, spec, group);
  return placed(builder.finish(), spec.directory, spec, facts);
}

Variables command_environment(const Spec& spec, const Facts& facts, const std::string& command) {
  const auto found = spec.commands.find(command);
  if (found == spec.commands.end()) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : spec.commands) names.push_back(name);
    throw Error(ErrorKind::not_found, "there is no command '" + command + "'" + hint(command, names));
  }
  Builder builder(spec, facts);
  put_group(builder, spec, found->second.env_group.empty() ? "stack" : found->second.env_group);
  builder.layer({{}, {}, found->second.env}, "", Source::values, false);
  return placed(builder.finish(), absolute(found->second.cwd, spec.directory), spec, facts);
}

Variables env_from_environment(const Spec& spec, const Facts& facts, const std::string& layer) {
  constexpr std::string_view k_service = "service:", k_group = "group:";
  Builder builder(spec, facts);
  if (layer.starts_with(k_group)) {
    put_group(builder, spec, layer.substr(k_group.size()), true);
  } else if (const Service* service =
                 layer.starts_with(k_service) ? spec.find(layer.substr(k_service.size())) : nullptr) {
    if (service->process) {
      put_process(builder, *service, true);
    } else {
      put_stack(builder);
      put_container(builder, *service, true);
    }
  } else {
    put_stack(builder);
  }
  return placed(builder.finish(), spec.directory, spec, facts);
}

Variables hook_environment(const Spec& spec, const Facts& facts, const Hook& hook) {
  Builder builder(spec, facts);
  const Service* service = hook.service.empty() ? nullptr : spec.find_known(hook.service);
  if (!hook.env_group.empty()) {
    put_group(builder, spec, hook.env_group);
  } else if (service && service->process) {
    put_process(builder, *service);
  } else {
    put_stack(builder);
    if (service) put_container(builder, *service);
  }
  builder.layer({{}, {}, hook.env}, "", Source::values, false);
  return placed(builder.finish(), hook_directory(spec, facts, hook), spec, facts);
}

std::vector<std::string> secret_values(const Spec& spec, const Facts& facts) {
  SecretList secrets;
  const auto add_caller = [&](const std::string& name) {
    if (const auto found = facts.caller.find(name); found != facts.caller.end()) secrets.add(found->second);
  };
  for (const auto& [layer, output] : facts.env_from) {
    for (const auto& [name, value] : output) {
      if (value) secrets.add(*value);
    }
  }
  each_layer(spec, [&](const std::string&, const EnvLayer& layer) {
    for (const EnvSource& source : layer.from) add_caller(source.variable);
  });
  for (const auto& [name, secret] : spec.secrets) {
    secrets.add(secret.content);
    add_caller(secret.environment);
  }
  for (const auto& text : facts.seen.secret_texts) secrets.add(text);
  return secrets.take();
}

std::string mask(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::string_view k_mask = "***";
  for (const std::string& secret : secrets) {
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + k_mask.size()))
      text.replace(at, secret.size(), k_mask);
  }
  return text;
}

std::set<std::string> directories(const Spec& spec, const Facts& facts) {
  std::set<std::string> all{spec.directory};
  const auto add_hooks = [&](const std::vector<Hook>& hooks) {
    for (const Hook& hook : hooks) {
      if (place_of(hook) != HookPlace::host) continue;
      try {
        all.insert(hook_directory(spec, facts, hook));
      } catch (const Error&) {
        // A value before it is captured, say; whoever runs the hook looks again.
      }
    }
  };
  add_hooks(spec.hooks);
  for (const auto* services : {&spec.services, &spec.gone}) {
    for (const Service& service : *services) {
      all.insert(process_directory(spec, service));
      add_hooks(service.hooks);
    }
  }
  for (const auto& [name, command] : spec.commands) all.insert(absolute(command.cwd, spec.directory));
  return all;
}

std::vector<std::string> package_levels(const std::string& directory, const std::string& stack_directory) {
  const fs::path relative = fs::path(directory).lexically_relative(stack_directory);
  const bool below = !relative.empty() && relative != "." && *relative.begin() != "..";
  std::vector<std::string> levels;
  fs::path at = directory;
  for (auto left = below ? std::distance(relative.begin(), relative.end()) : 0; left >= 0; --left) {
    levels.push_back(at.string());
    at = at.parent_path();
  }
  return levels;
}

std::string canonical(const Seen& seen, const std::string& directory) {
  const auto found = seen.canonical.find(directory);
  return found == seen.canonical.end() ? directory : found->second;
}

std::vector<std::pair<std::string, EnvSource>> env_commands(const Spec& spec) {
  std::vector<std::pair<std::string, EnvSource>> out;
  each_layer(spec, [&](const std::string& name, const EnvLayer& layer) {
    for (const EnvSource& source : layer.from) {
      if (!source.cmd.empty()) out.emplace_back(name, source);
    }
  });
  return out;
}

}  // namespace stackd::resolve
