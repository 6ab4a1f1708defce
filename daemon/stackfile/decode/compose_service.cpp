#include <algorithm>
#include <charconv>

#include "daemon/compose/printed.hpp"
#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

bool is_restart(const std::string& word) {
  if (word.empty() || word == "no" || word == "always" || word == "unless-stopped" || word == "on-failure")
    return true;
  if (!word.starts_with("on-failure:") || word.size() == 11) return false;
  return word.find_first_not_of("0123456789", 11) == std::string::npos && word.size() < 18;
}

namespace {

void decode_restart(Reader& reader, Container& container) {
  container.restart = reader.string("restart");
  if (container.restart == "false") container.restart = "no";  // `restart: no` of a YAML 1.1 writer
  if (is_restart(container.restart)) return;
  reader.problem(reader.get("restart")->place, reader.what() +
                                                   ", 'restart': expected no, always, unless-stopped or " +
                                                   "on-failure[:TIMES], found '" + container.restart + "'");
}

bool is_pull_policy(const std::string& word) {
  const std::vector<std::string> words{"",      "always",  "missing", "never",
                                       "build", "refresh", "daily",   "weekly"};
  if (std::find(words.begin(), words.end(), word) != words.end()) return true;
  return word.starts_with("every_") && compose::parse_span(word.substr(6));
}

void decode_pull_policy(Reader& reader, Container& container) {
  container.pull_policy = reader.string("pull_policy");
  if (container.pull_policy == "if_not_present") container.pull_policy = "missing";
  const std::string& word = container.pull_policy;
  if (is_pull_policy(word)) return;
  reader.problem(reader.get("pull_policy")->place, reader.what() +
                                                       ", 'pull_policy': expected always, missing, never, "
                                                       "build, refresh, daily, weekly or every_<time>, " +
                                                       "found '" + word + "'");
}

void decode_logging(Reader& reader, Container& container) {
  const Value* value = reader.get("logging");
  if (!value) return;
  Reader fields(*value, reader.what() + ", 'logging'", reader.problems());
  Logging logging;
  logging.driver = fields.string("driver");
  logging.options = fields.string_map("options");
  fields.finish();
  container.logging = std::move(logging);
}

void decode_names(Reader& reader, Container& container) {
  container.image = reader.string("image");
  container.platform = reader.string("platform");
  container.user = reader.string("user");
  container.working_dir = reader.string("working_dir");
  container.hostname = reader.string("hostname");
  container.domainname = reader.string("domainname");
  container.container_name = reader.string("container_name");
  container.stop_signal = reader.string("stop_signal");
  container.runtime = reader.string("runtime");
  container.cgroup_parent = reader.string("cgroup_parent");
  container.cgroup = reader.string("cgroup");
  container.ipc = reader.string("ipc");
  container.pid = reader.string("pid");
  container.uts = reader.string("uts");
  container.userns_mode = reader.string("userns_mode");
  container.isolation = reader.string("isolation");
  container.mac_address = reader.string("mac_address");
  container.stop_grace_period = reader.duration("stop_grace_period");
}

void decode_lists(Reader& reader, Container& container) {
  container.annotations = reader.string_map("annotations");
  container.sysctls = reader.string_map("sysctls");
  container.storage_opt = reader.string_map("storage_opt");
  container.expose = reader.strings("expose");
  container.cap_add = reader.strings("cap_add");
  container.cap_drop = reader.strings("cap_drop");
  container.extra_hosts = decode_extra_hosts(reader);
  container.dns = reader.strings("dns");
  container.dns_search = reader.strings("dns_search");
  container.dns_opt = reader.strings("dns_opt");
  container.security_opt = reader.strings("security_opt");
  container.group_add = reader.strings("group_add");
  container.volumes_from = reader.strings("volumes_from");
  container.links = reader.strings("links");
  container.external_links = reader.strings("external_links");
  container.device_cgroup_rules = reader.strings("device_cgroup_rules");
  container.init = reader.maybe_boolean("init");
  container.privileged = reader.boolean("privileged");
  container.read_only = reader.boolean("read_only");
  container.tty = reader.boolean("tty");
  container.stdin_open = reader.boolean("stdin_open");
}

void decode_hooks(Reader& reader, ComposeContext& context, Service& service) {
  for (const Phase phase : phases_of(Scope::service, Vocabulary::compose)) {
    if (const Value* list = reader.get(to_string(phase))) {
      decode_container_hooks(*list, phase, service.name, context.decode, service.hooks);
    }
  }
}

// stackd's own keys: in a stackd.yaml beside Compose's, in a compose.yaml under x-stackd.
void decode_extension(const Value& value, Reader& reader, ComposeContext& context, const Extension& extension,
                      Spec& spec, Service& service) {
  if (context.stackd) {
    if (extension.service) extension.service(reader, spec, service);
    return;
  }
  reader.refuse({"lifecycle", "hooks", "ready_when", "fail_when"},
                "is stackd's own: write it under 'x-stackd', or name the file stackd.yaml");
  const Value* own = value.find("x-stackd");
  if (!own || own->is_null() || !extension.service) return;
  Reader own_reader(*own, reader.what() + ", 'x-stackd'", context.decode.problems);
  extension.service(own_reader, spec, service);
  own_reader.finish();
}

}  // namespace

void ComposeContext::without_effect(Reader& reader, std::initializer_list<std::string_view> keys, Spec& spec,
                                    std::string_view why) const {
  for (const std::string_view key : keys) {
    reader.ignore({key});
    const Value* value = reader.value().find(key);
    const bool empty = !value || value->is_null() || value->text == "false";
    if (empty || !decode.request.to_run) continue;
    spec.warnings.push_back(value->place.file + ":" + std::to_string(value->place.line) + ":" +
                            std::to_string(value->place.column) + ": " + reader.what() + ": '" +
                            std::string(key) + "' " + std::string(why));
  }
}

void decode_compose_service(const Value& value, ComposeContext& context, const Extension& extension,
                            Spec& spec, Service& service) {
  Reader reader(value, "service '" + service.name + "'", context.decode.problems);
  service.kind = ServiceKind::container;
  Container& container = service.container.emplace();
  decode_names(reader, container);
  container.build = decode_build(reader, context, spec);
  decode_pull_policy(reader, container);
  container.command = decode_command(reader, "command");
  container.entrypoint = decode_command(reader, "entrypoint");
  decode_restart(reader, container);
  decode_lists(reader, container);
  decode_labels(reader, context, container);
  decode_environment(reader, context, service);
  decode_depends_on(reader, service);
  decode_attachments(reader, container);
  decode_ports(reader, context, service.ports);
  decode_mounts(reader, context, container);
  decode_devices(reader, container);
  container.secrets = decode_grants(reader, "secrets", "/run/secrets/");
  container.configs = decode_grants(reader, "configs", "/");
  container.healthcheck = decode_healthcheck(reader, context);
  decode_logging(reader, container);
  decode_limits(reader, container);
  decode_deploy(reader, container);
  service.profiles = reader.strings("profiles");
  decode_hooks(reader, context, service);
  decode_extension(value, reader, context, extension, spec, service);
  reader.ignore({"attach", "develop", "extends"});
  service.provided = reader.get("provider") != nullptr;
  context.without_effect(reader, {"provider", "models", "credential_spec", "use_api_socket"}, spec);
  reader.finish();
  const bool consistent = !context.decode.request.undone.consistency;
  if (consistent && container.image.empty() && !container.build && value.is_mapping() && !service.provided) {
    reader.problem(service.place, reader.what() + " has neither an 'image' nor a 'build'");
  }
}

}  // namespace stackd::stackfile
