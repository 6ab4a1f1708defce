// `owned`: processes of the host (L1.2), and Lich's way to write ports and dependencies.
#include <algorithm>

#include "daemon/resolve/references.hpp"
#include "daemon/stackfile/decode/extras_parts.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr long long k_last_port = 65535;

// 0 and a problem when it is none.
int port_number(const Value& value, const std::string& what, Problems& problems) {
  const bool digits = value.is_scalar() && !value.text.empty() && value.text.size() < 6 &&
                      value.text.find_first_not_of("0123456789") == std::string::npos;
  const long long number = digits ? std::stoll(value.text) : 0;
  if (number >= 1 && number <= k_last_port) return static_cast<int>(number);
  problems.add(value.place, what + ": expected a port from 1 to 65535" +
                                (value.is_scalar() ? ", found '" + value.text.substr(0, 60) + "'" : ""));
  return 0;
}

// Two names for one key, the newer one first.
const Value* either(Reader& reader, std::string_view name, std::string_view older) {
  const Value* first = reader.get(name);
  const Value* second = reader.get(older);
  if (first && second) {
    reader.problem(second->place, reader.what() + ": give '" + std::string(name) + "' or '" +
                                      std::string(older) + "', not both");
  }
  return first ? first : second;
}

Port decode_port(const Value& value, const std::string& key, const std::string& what, bool container,
                 Problems& problems) {
  Port port;
  port.key = key;
  port.place = value.place;
  if (!value.is_mapping()) {
    (container ? port.target : port.published) = port_number(value, what, problems);
    return port;
  }
  Reader reader(value, what, problems);
  if (const Value* target = either(reader, "container_port", "container")) {
    const int number = port_number(*target, what + ", 'container_port'", problems);
    if (container) port.target = number;
  } else if (container) {
    reader.problem(value.place, what + ": the 'container_port' is missing");
  }
  if (const Value* name = either(reader, "published_env", "env")) {
    port.env = scalar(*name, what + ", 'published_env'", problems).value_or("");
    if (port.env.empty() || port.env.find_first_of(" \t=") != std::string::npos) {
      reader.problem(name->place, what + ", 'published_env': expected a variable's name");
    }
  }
  if (const Value* pinned = reader.get("host_port"))
    port.published = port_number(*pinned, what + ", 'host_port'", problems);
  reader.finish();
  return port;
}

std::optional<Condition> owned_condition(const std::string& word) {
  if (word == "ready") return Condition::ready;
  if (word == "started" || word == "service_started") return Condition::started;
  if (word == "healthy" || word == "service_healthy") return Condition::healthy;
  if (word == "completed_successfully" || word == "service_completed_successfully")
    return Condition::completed_successfully;
  return std::nullopt;
}

void decode_dependency(const Entry& entry, Reader& reader, Service& service) {
  Reader fields(entry.value, reader.what() + ", 'depends_on." + entry.key + "'", reader.problems());
  Dependency dependency;
  const std::string word = fields.string("condition", "ready");
  dependency.required = fields.boolean("required", true);
  dependency.restart = fields.boolean("restart");
  fields.finish();
  if (const auto condition = owned_condition(word)) {
    dependency.condition = *condition;
  } else {
    const std::vector<std::string> words{"ready", "service_started", "service_healthy",
                                         "service_completed_successfully"};
    const auto near = util::nearest(word, words);
    reader.problem(fields.get("condition")->place,
                   fields.what() + ": unknown condition '" + word + "', " +
                       (near ? "did you mean '" + *near + "'?" : "expected " + util::join(words, ", ")));
  }
  service.depends_on[entry.key] = dependency;
}

class OwnedDecoder {
public:
  OwnedDecoder(const Entry& entry, DecodeContext& context, Spec& spec)
      : context_(context),
        spec_(spec),
        reader_(entry.value, "owned service '" + entry.key + "'", context.problems) {
    service_.name = entry.key;
    service_.place = entry.place;
    service_.owned = true;
  }

  Service decode() {
    Process& process = service_.process.emplace();
    decode_commands(process);
    process.cwd = absolute_directory(reader_, "cwd", context_);
    service_.kind = reader_.boolean("oneshot") ? ServiceKind::oneshot : ServiceKind::process;
    decode_depends_on();
    decode_ports();
    decode_owned_containers(process);
    service_.environment = decode_env_layer(reader_, context_, true);
    service_.ready_when = decode_ready_when(reader_, context_);
    check_http_port();
    if (const Value* lifecycle = reader_.get("lifecycle"))
      decode_lifecycle(*lifecycle, service_.name, context_, service_.hooks);
    if (spec_.format != "lich") decode_own(process);
    reader_.finish();
    return std::move(service_);
  }

private:
  void decode_commands(Process& process) {
    process.cmd = reader_.string("cmd");
    if (util::trim(process.cmd).empty() && (reader_.value().is_mapping() || reader_.value().is_null())) {
      reader_.problem(service_.place, reader_.what() + " has no 'cmd'");
    }
    process.stop_cmd = reader_.string("stop_cmd");
  }

  void decode_depends_on() {
    const Value* value = reader_.get("depends_on");
    if (!value || !value->is_mapping()) {
      decode_ready_list(reader_, service_);
      return;
    }
    service_.depends_on_given = true;
    if (spec_.format == "lich") {
      reader_.problem(value->place, reader_.what() + ", 'depends_on': expected a list of names");
      return;
    }
    for (const Entry& entry : value->entries) decode_dependency(entry, reader_, service_);
  }

  void decode_ports() {
    const Value* one = reader_.get("port");
    const Value* several = reader_.get("ports");
    if (one && several)
      reader_.problem(several->place, reader_.what() + ": give 'port' or 'ports', not both");
    if (one)
      service_.ports.push_back(decode_port(*one, "0", reader_.what() + ", 'port'", false, context_.problems));
    if (several) decode_lich_ports(*several, reader_.what(), false, context_.problems, service_.ports);
  }

  void decode_owned_containers(Process& process) {
    const Value* filter = reader_.get("owned_containers");
    if (!filter) return;
    Reader fields(*filter, reader_.what() + ", 'owned_containers'", context_.problems);
    process.owned_label = fields.string("label");
    process.owned_name_pattern = fields.string("name_pattern");
    fields.finish();
    if (process.owned_label.empty() == process.owned_name_pattern.empty()) {
      fields.problem(filter->place, fields.what() + ": give either 'label' or 'name_pattern'");
    }
  }

  void decode_own(Process& process) {
    process.restart = reader_.string("restart");
    if (process.restart == "no" || process.restart == "false") process.restart.clear();
    if (!is_restart(process.restart)) {
      reader_.problem(reader_.get("restart")->place,
                      reader_.what() +
                          ", 'restart': expected no, always, unless-stopped or on-failure[:TIMES], found '" +
                          process.restart + "'");
    }
    process.stop_grace_period = reader_.duration("stop_grace_period");
  }

  void check_http_port() {
    if (!service_.ready_when || !service_.ports.empty()) return;
    const auto url = service_.ready_when->probes.find(ProbeKind::http_get);
    if (url == service_.ready_when->probes.end() || !url->second.starts_with('/')) return;
    reader_.problem(
        reader_.get("ready_when")->place,
        reader_.what() + ", 'ready_when': the path of http_get needs a 'port', or write the whole URL");
  }

  DecodeContext& context_;
  Spec& spec_;
  Reader reader_;
  Service service_;
};

void add_owned(const Entry& entry, DecodeContext& context, Spec& spec) {
  if (!is_service_name(entry.key)) {
    context.problems.add(
        entry.place,
        "'" + entry.key + "' is not a service's name: letters, digits, '.', '_' and '-' are expected");
  }
  if (const Service* other = spec.find(entry.key)) {
    context.problems.add(entry.place, "owned service '" + entry.key + "': another service in line " +
                                          std::to_string(other->place.line) + " has that name");
    return;
  }
  spec.services.push_back(OwnedDecoder(entry, context, spec).decode());
}

}  // namespace

void decode_owned(const Value& owned, DecodeContext& context, Spec& spec) {
  if (!owned.is_mapping()) {
    context.problems.add(owned.place, "'owned': expected a mapping of names");
    return;
  }
  // What is written out keeps its name when something discovered would take it.
  std::vector<Entry> entries;
  for (const Entry& entry : owned.entries) {
    if (entry.key.starts_with("x-")) continue;
    if (!entry.value.is_mapping() || !entry.value.find("discover")) {
      entries.push_back(entry);
      continue;
    }
    auto& names = context.discovered[entry.key];
    for (Entry& instance : expand_discover(entry, context)) {
      if (const Value* other = owned.find(instance.key); other && !other->find("discover")) {
        context.problems.add(entry.place, "owned service '" + entry.key + "': the discovered service '" +
                                              instance.key +
                                              "' has the name of another one; change the name_template");
        continue;
      }
      names.push_back(instance.key);
      entries.push_back(std::move(instance));
    }
  }
  for (const Entry& entry : entries) add_owned(entry, context, spec);
}

void decode_lich_ports(const Value& ports, const std::string& what, bool container, Problems& problems,
                       std::vector<Port>& out) {
  if (ports.is_mapping()) {
    for (const Entry& entry : ports.entries) {
      out.push_back(
          decode_port(entry.value, entry.key, what + ", 'ports." + entry.key + "'", container, problems));
    }
  } else if (ports.is_sequence() && container) {
    for (std::size_t i = 0; i < ports.items.size(); ++i) {
      const std::string key = std::to_string(i);
      out.push_back(decode_port(ports.items[i], key, what + ", 'ports[" + key + "]'", container, problems));
    }
  } else {
    problems.add(ports.place,
                 what + ", 'ports': expected a mapping of names" + (container ? " or a list" : ""));
  }
}

void decode_ready_list(Reader& reader, Service& service) {
  service.depends_on_given = reader.has("depends_on");
  for (const std::string& name : reader.strings("depends_on"))
    service.depends_on[name] = {Condition::ready, true, false};
}

void expand_discovered(DecodeContext& context, Spec& spec) {
  for (const auto& [parent, names] : context.discovered) {
    if (spec.find(parent)) continue;
    for (Service& service : spec.services) {
      const auto found = service.depends_on.find(parent);
      if (found == service.depends_on.end()) continue;
      const Dependency dependency = found->second;
      service.depends_on.erase(found);
      for (const std::string& name : names) {
        if (name != service.name) service.depends_on.emplace(name, dependency);
      }
    }
  }
}

std::string absolute_directory(Reader& reader, std::string_view key, const DecodeContext& context) {
  std::string text = reader.string(key);
  if (text.find("${") != std::string::npos) {
    Spec place;
    place.directory = context.directory;
    place.name = context.name;
    try {
      text = resolve::resolved(text, resolve::Strictness::shell, place, {});
    } catch (const util::Error& error) {
      reader.problem(reader.get(key)->place, reader.what() + ", '" + std::string(key) + "': " + error.what());
      return context.directory;
    }
  }
  return absolute_path(text.empty() ? "." : text, context.directory, context.request.environment);
}

}  // namespace stackd::stackfile
