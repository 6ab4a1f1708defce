#include "daemon/resolve/identity.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/model/json.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::resolve {

namespace {

using nlohmann::json;

void resolve_strings(json& value, const Spec& spec, const Facts& facts) {
  if (value.is_string()) {
    // A value that is captured later in this very up stands as it is written.
    const auto text = value.get<std::string>();
    value = resolved_if_known(text, Strictness::text, spec, facts).value_or(text);
  } else if (value.is_structured()) {
    for (json& item : value) resolve_strings(item, spec, facts);
  }
}

bool is_place(const json& value) {
  return value.is_object() && value.contains("line") && value.contains("column") &&
         value.size() == (value.contains("file") ? 3U : 2U);
}

void without_places(json& value) {
  if (value.is_object() && value.contains("place") && is_place(value["place"])) value.erase("place");
  if (value.is_structured())
    for (json& item : value) without_places(item);
}

json hooks_of(const Service& service) {
  json hooks = json::array();
  for (const Hook& hook : service.hooks) {
    if (!row_of(hook.phase).defines) continue;
    json value = to_json(hook);
    value.erase("place");
    hooks.push_back(std::move(value));
  }
  return hooks;
}

// Ports with the host ports that this stack got. Those of further replicas ("<key>@<n>") are not the
// service's.
json ports_of(const Service& service, const Facts& facts) {
  json ports = to_json(service).value("ports", json::array());
  const auto given = facts.ports.find(service.name);
  for (json& port : ports) {
    port.erase("place");
    if (given == facts.ports.end()) continue;
    const auto found = given->second.find(port.value("key", ""));
    if (found != given->second.end()) port["host_port"] = found->second;
  }
  return ports;
}

// What secrets and configs hold without a file: it is written into the container when that is made.
json grants_of(const std::vector<FileGrant>& grants, const std::map<std::string, FileSource>& sources,
               const Facts& facts) {
  json out = json::object();
  for (const FileGrant& grant : grants) {
    const auto source = sources.find(grant.source);
    if (source == sources.end()) continue;
    const auto variable = facts.caller.find(source->second.environment);
    out[grant.source] = {source->second.file, source->second.content,
                         variable == facts.caller.end() ? "" : variable->second};
  }
  return out;
}

}  // namespace

std::string stack_id(const std::string& name, const std::string& directory) {
  const auto ending = "-" + util::sha256_hex(directory).substr(0, 8);
  return name.ends_with(ending) ? name : name + ending;
}

std::string worktree_id(const std::string& directory) {
  return util::sha256_hex(directory).substr(0, 12);
}

std::string project_name_from(const std::string& directory_name) {
  std::string out;
  for (const char c : directory_name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool edge = lower == '_' || lower == '-';
    const bool fits =
        (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || (edge && !out.empty());
    if (fits) out += lower;
  }
  return out;
}

std::string container_name(const Spec& spec, const Service& service, int number) {
  if (service.container && !service.container->container_name.empty())
    return service.container->container_name;
  return spec.name + "-" + service.name + "-" + std::to_string(number);
}

std::string built_image_name(const Spec& spec, const Service& service) {
  if (service.container && !service.container->image.empty()) return service.container->image;
  return spec.name + "-" + service.name;
}

std::string wish_hash(const Spec& spec) {
  json value = to_json(spec);
  value.erase("warnings");
  without_places(value);
  return util::sha256_hex(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

json config_of(const Spec& spec, const Facts& facts, const Service& service) {
  json value = to_json(service);
  for (const char* key :
       {"depends_on", "depends_on_given", "profiles", "place", "environment", "ready_when", "hooks"}) {
    value.erase(key);
  }
  if (value.contains("container")) {
    for (const char* key : {"build", "pull_policy", "scale", "deploy"}) value["container"].erase(key);
  }
  value["hooks"] = hooks_of(service);
  value["ports"] = ports_of(service, facts);
  if (service.container) {
    value["secrets"] = grants_of(service.container->secrets, spec.secrets, facts);
    value["configs"] = grants_of(service.container->configs, spec.configs, facts);
  }
  resolve_strings(value, spec, facts);
  value["environment"] = container_definition(spec, facts, service);
  return value;
}

std::string config_hash(const Spec& spec, const Facts& facts, const Service& service) {
  return util::sha256_hex(
      config_of(spec, facts, service).dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace stackd::resolve
