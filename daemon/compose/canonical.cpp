#include "daemon/compose/canonical.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "daemon/compose/long_forms.hpp"
#include "daemon/compose/printed.hpp"
#include "daemon/yaml/typed.hpp"

namespace stackd::compose {

namespace {

using nlohmann::json;

bool is_true(const json& value) {
  return value.is_boolean() ? value.get<bool>() : text_of(value) == "true" || text_of(value) == "1";
}

// Name and external, which networks, volumes, secrets and configs have. `external: {name: …}` is the old
// form.
void name_resource(json& resource, const std::string& key, const ModelRequest& request) {
  if (!resource.is_object()) resource = json::object();
  if (const auto external = resource.find("external"); external != resource.end() && external->is_object()) {
    if (external->contains("name") && !resource.contains("name")) resource["name"] = (*external)["name"];
    resource["external"] = true;
  }
  if (!request.normalize || (resource.contains("name") && !resource["name"].is_null())) return;
  const bool external = resource.contains("external") && is_true(resource["external"]);
  resource["name"] = external ? key : request.name + "_" + key;
}

void absolute_file(json& resource, const char* key, const ModelRequest& request) {
  const auto found = resource.find(key);
  if (found != resource.end() && found->is_string()) *found = request.path(found->get<std::string>());
}

// A volume that is a bind in disguise.
void absolute_device(json& volume, const ModelRequest& request) {
  if (!volume.contains("driver") || volume["driver"] != "local" || !volume.contains("driver_opts")) return;
  json& options = volume["driver_opts"];
  if (options.is_object() && options.contains("o") && options["o"] == "bind")
    absolute_file(options, "device", request);
}

void lengthen_resource(json& resource, const char* key, const std::string& name,
                       const ModelRequest& request) {
  if (std::string_view(key) != "models") name_resource(resource, name, request);
  absolute_file(resource, "file", request);
  if (std::string_view(key) == "volumes") absolute_device(resource, request);
  if (std::string_view(key) == "configs" && resource.contains("environment")) resource.erase("content");
}

json section(json& top, const char* key, const Shape& shape, const ModelRequest& request) {
  json out = json::object();
  const auto found = top.find(key);
  if (found == top.end() || !found->is_object()) return out;
  for (auto& [name, resource] : found->items()) {
    lengthen_resource(resource, key, name, request);
    out[name] = printed(resource, shape);
  }
  return out;
}

constexpr std::array k_sections{"networks", "volumes", "secrets", "configs", "models"};

// The names of the top level that a service uses, by section.
using Needs = std::map<std::string, std::set<std::string>>;

void add_sources(const json& holder, const char* key, std::set<std::string>& out) {
  if (!holder.contains(key)) return;
  for (const json& item : holder[key])
    if (item.contains("source")) out.insert(item["source"].get<std::string>());
}

void add_needs(const json& service, Needs& needs) {
  if (service.contains("networks"))
    for (const auto& [name, attachment] : service["networks"].items()) needs["networks"].insert(name);
  if (service.contains("volumes"))
    for (const json& mount : service["volumes"])
      if (mount.value("type", "") == "volume" && mount.contains("source"))
        needs["volumes"].insert(mount["source"].get<std::string>());
  if (service.contains("models"))
    for (const auto& [name, use] : service["models"].items()) needs["models"].insert(name);
  add_sources(service, "secrets", needs["secrets"]);
  add_sources(service, "configs", needs["configs"]);
  if (service.contains("build")) add_sources(service["build"], "secrets", needs["secrets"]);
}

}  // namespace

json escaped(const json& value) {
  const auto doubled = [](const std::string& text) {
    std::string out;
    for (const char c : text) out.append(c == '$' ? 2 : 1, c);
    return out;
  };
  if (value.is_string()) return doubled(value.get<std::string>());
  if (value.is_array()) {
    json out = json::array();
    for (const json& item : value) out.push_back(escaped(item));
    return out;
  }
  if (!value.is_object()) return value;
  json out = json::object();
  for (const auto& [key, item] : value.items()) out[doubled(key)] = escaped(item);
  return out;
}

json canonical_model(const Value& document, const ModelRequest& request) {
  json top = yaml::json_of(document);
  json out{{"name", request.name}, {"services", json::object()}};
  bool uses_default = false;
  if (top.contains("services") && top["services"].is_object()) {
    for (auto& [name, service] : top["services"].items()) {
      if (!service.is_object()) continue;
      lengthen_service(service, request);
      uses_default =
          uses_default || (service.contains("networks") && service["networks"].contains("default"));
      out["services"][name] = printed(service, service_shape());
    }
  }
  if (uses_default && request.normalize && !top["networks"].contains("default"))
    top["networks"]["default"] = nullptr;
  out["networks"] = section(top, "networks", network_shape(), request);
  out["volumes"] = section(top, "volumes", volume_shape(), request);
  out["secrets"] = section(top, "secrets", secret_shape(), request);
  out["configs"] = section(top, "configs", config_shape(), request);
  out["models"] = section(top, "models", model_shape(), request);
  return out;
}

namespace {

// As Compose prints a list that has nothing in it.
void empty_lists_are_nothing(json& value) {
  if (value.is_array() && value.empty()) value = nullptr;
  if (!value.is_structured()) return;  // a scalar would be its own only element
  for (json& one : value) empty_lists_are_nothing(one);
}

}  // namespace

json written_model(const Value& document, const ModelRequest& request) {
  json top = yaml::json_of(document);
  top.erase("version");
  if (request.normalize) top["name"] = request.name;
  bool uses_default = false;
  if (top.contains("services") && top["services"].is_object()) {
    for (auto& [name, service] : top["services"].items()) {
      if (!service.is_object()) continue;
      lengthen_written(service, request);
      uses_default =
          uses_default || (service.contains("networks") && service["networks"].contains("default"));
    }
  }
  if (uses_default && request.normalize && !top["networks"].contains("default"))
    top["networks"]["default"] = nullptr;
  for (const char* key : k_sections)
    if (top.contains(key) && top[key].is_object())
      for (auto& [name, resource] : top[key].items())
        if (request.normalize || resource.is_object()) lengthen_resource(resource, key, name, request);
  empty_lists_are_nothing(top);
  return top;
}

json narrowed_model(json model, const std::set<std::string>& services) {
  Needs needs;
  json kept = json::object();
  for (auto& [name, service] : model["services"].items()) {
    if (!services.contains(name)) continue;
    add_needs(service, needs);
    kept[name] = std::move(service);
  }
  model["services"] = std::move(kept);
  for (const char* key : k_sections) {
    json used = json::object();
    for (auto& [name, resource] : model[key].items())
      if (needs[key].contains(name)) used[name] = std::move(resource);
    if (used.empty())
      model.erase(key);
    else
      model[key] = std::move(used);
  }
  return escaped(model);
}

}  // namespace stackd::compose
