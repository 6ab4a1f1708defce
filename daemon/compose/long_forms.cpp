#include "daemon/compose/long_forms.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "daemon/compose/printed.hpp"
#include "daemon/compose/short_forms.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::compose {

namespace {

using nlohmann::json;

// Null when it is not there.
json* find(json& holder, const char* key) {
  if (!holder.is_object()) return nullptr;
  const auto found = holder.find(key);
  return found == holder.end() || found->is_null() ? nullptr : &*found;
}

std::string word(const json& holder, const char* key) {
  const auto found = holder.find(key);
  return found == holder.end() || found->is_null() ? "" : text_of(*found);
}

// ["a", "b"] as {"a": value, "b": value}.
void list_to_map(json& value, const json& each) {
  if (!value.is_array()) return;
  json out = json::object();
  for (const json& item : value) out[text_of(item)] = each;
  value = std::move(out);
}

// ["K=V"] as {"K": "V"}; a word alone has no value.
void pairs_to_map(json& value) {
  if (!value.is_array()) return;
  json out = json::object();
  for (const json& item : value) {
    const std::string text = text_of(item);
    const auto equals = text.find('=');
    out[text.substr(0, equals)] = equals == std::string::npos ? json() : json(text.substr(equals + 1));
  }
  value = std::move(out);
}

void text_to_list(json& value) {
  if (!value.is_array() && !value.is_object() && !value.is_null()) value = json::array({text_of(value)});
}

// Of two items with one identity the later one stands where the first did.
void make_unique(json* list, const std::function<std::string(const json&)>& identity) {
  if (!list || !list->is_array()) return;
  std::vector<std::string> known;
  json out = json::array();
  for (json& item : *list) {
    const std::string wanted = identity(item);
    const auto before = std::find(known.begin(), known.end(), wanted);
    if (before == known.end()) {
      known.push_back(wanted);
      out.push_back(std::move(item));
    } else {
      out[static_cast<std::size_t>(before - known.begin())] = std::move(item);
    }
  }
  *list = std::move(out);
}

std::string before_equals(const json& item) {
  return text_of(item).substr(0, text_of(item).find('='));
}

std::string target_of(const json& item) {
  return item.is_object() ? word(item, "target") : text_of(item);
}

std::string port_identity(const json& item) {
  if (!item.is_object()) return text_of(item);
  const auto or_else = [&](const char* key, const char* fallback) {
    // A number is another one than its text, as in Compose.
    return item.contains(key) ? (item[key].is_number() ? "#" : "") + word(item, key) : std::string(fallback);
  };
  return or_else("host_ip", "0.0.0.0") + ":" + or_else("published", "-") + ":" + word(item, "target") + "/" +
         or_else("protocol", "tcp");
}

// ---- the pieces

void lengthen_grants(json* list, const std::string& directory, bool is_set = true) {
  if (!list || !list->is_array()) return;
  for (json& item : *list) {
    if (!item.is_object()) item = {{"source", text_of(item)}};
    if (!directory.empty() && !item.contains("target")) item["target"] = directory + word(item, "source");
  }
  if (!is_set) return;
  const std::string at = directory.empty() ? "/" : directory;
  make_unique(list, [&](const json& item) {
    return item.contains("target") ? word(item, "target") : at + word(item, "source");
  });
}

void lengthen_devices(json* list) {
  if (!list || !list->is_array()) return;
  for (json& item : *list) {
    if (item.is_object()) continue;
    const auto parts = util::split(text_of(item), ':');
    item = {{"source", parts[0]},
            {"target", parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0]},
            {"permissions", parts.size() > 2 ? parts[2] : "rwm"}};
  }
  make_unique(list, target_of);
}

void fill_device_requests(json* list) {
  if (!list || !list->is_array()) return;
  for (json& item : *list)
    if (item.is_object() && !item.contains("count") && !item.contains("device_ids")) item["count"] = "all";
}

// As it is written where one of them cannot be read.
bool can_be_read(const json& ports) {
  return std::all_of(ports.begin(), ports.end(),
                     [](const json& item) { return item.is_object() || !long_ports(text_of(item)).empty(); });
}

void lengthen_ports(json* list) {
  if (!list || !list->is_array() || !can_be_read(*list)) return;
  json out = json::array();
  for (json& item : *list) {
    if (item.is_object()) {
      if (!item.contains("protocol")) item["protocol"] = "tcp";
      if (!item.contains("mode")) item["mode"] = "ingress";
      out.push_back(std::move(item));
      continue;
    }
    for (json& port : long_ports(text_of(item))) out.push_back(std::move(port));
  }
  *list = std::move(out);
  make_unique(list, port_identity);
}

void lengthen_mounts(json* list, const ModelRequest& request) {
  if (!list || !list->is_array()) return;
  json out = json::array();
  for (json& item : *list) {
    const bool is_short = !item.is_object();
    json mount = is_short ? long_mount(text_of(item)) : item;
    if (mount.is_null()) {
      out.push_back(item);  // as it is written
      continue;
    }
    if (is_short || request.normalize) mount["target"] = clean_path(word(mount, "target"));
    if (word(mount, "type") == "bind") mount["source"] = request.path(word(mount, "source"));
    out.push_back(std::move(mount));
  }
  *list = std::move(out);
  make_unique(list, target_of);
}

void lengthen_dependencies(json& service) {
  json* given = find(service, "depends_on");
  if (!given) return;
  list_to_map(*given, json::object());
  for (auto& [name, one] : given->items()) {
    if (!one.is_object()) one = json::object();
    if (!one.contains("condition")) one["condition"] = "service_started";
    if (!one.contains("required")) one["required"] = true;
  }
}

void imply_dependencies(json& service) {
  json dependencies = json::object();
  if (const json* given = find(service, "depends_on")) dependencies = *given;
  const auto imply = [&](const std::string& name, bool restart) {
    if (!dependencies.contains(name))
      dependencies[name] = {{"condition", "service_started"}, {"restart", restart}, {"required", true}};
  };
  const auto each = [&](const char* key, const std::function<void(const std::string&)>& act) {
    if (json* list = find(service, key); list && list->is_array())
      for (const json& item : *list) act(text_of(item));
  };
  each("links", [&](const std::string& link) { imply(util::split(link, ':')[0], true); });
  for (const char* key : {"network_mode", "ipc", "pid", "uts", "cgroup"}) {
    const std::string shared = word(service, key);
    if (shared.starts_with("service:")) imply(shared.substr(8), true);
  }
  each("volumes_from", [&](const std::string& from) {
    if (!from.starts_with("container:")) imply(util::split(from, ':')[0], false);
  });
  if (!dependencies.empty()) service["depends_on"] = std::move(dependencies);
}

void lengthen_networks(json& service, bool normalize) {
  json* networks = find(service, "networks");
  if (networks) {
    list_to_map(*networks, nullptr);
    for (auto& [name, attachment] : networks->items()) {
      make_unique(find(attachment, "aliases"), before_equals);
      make_unique(find(attachment, "link_local_ips"), before_equals);
    }
  }
  if (!normalize || service.contains("provider") || service.contains("network_mode")) return;
  if (!networks || networks->empty()) service["networks"] = {{"default", nullptr}};
}

// A variable without a value has the caller's; without one it is kept or dropped. Of a list or a mapping.
void fill_variables(json* variables, const ModelRequest& request, bool keep) {
  if (!variables) return;
  json out = variables->is_array() ? json::array() : json::object();
  const auto put = [&](const std::string& name, json value) {
    if (out.is_object())
      out[name] = std::move(value);
    else
      out.push_back(value.is_null() ? name : name + "=" + text_of(value));
  };
  const auto fill = [&](const std::string& name) {
    const auto found = request.variables.find(name);
    if (found != request.variables.end())
      put(name, found->second);
    else if (keep)
      put(name, nullptr);
  };
  if (variables->is_array()) {
    for (json& item : *variables) {
      if (text_of(item).find('=') == std::string::npos)
        fill(text_of(item));
      else
        out.push_back(std::move(item));
    }
  } else {
    for (auto& [name, value] : variables->items()) {
      if (value.is_null())
        fill(name);
      else
        put(name, std::move(value));
    }
  }
  *variables = std::move(out);
}

void lengthen_build(json& service, const ModelRequest& request) {
  json* build = find(service, "build");
  if (!build) return;
  if (!build->is_object()) *build = {{"context", text_of(*build)}};
  const auto absolute = [&](const std::string& path) {
    return is_remote_context(path) ? path : request.path(path);
  };
  const std::string context = find(*build, "context") ? word(*build, "context") : ".";
  (*build)["context"] = absolute(context);
  if (request.normalize) {
    if (!find(*build, "dockerfile") && !find(*build, "dockerfile_inline"))
      (*build)["dockerfile"] = "Dockerfile";
    fill_variables(find(*build, "args"), request, false);
  }
  if (json* contexts = find(*build, "additional_contexts")) {
    pairs_to_map(*contexts);
    for (auto& [name, path] : contexts->items()) path = absolute(text_of(path));
  }
  if (json* keys = find(*build, "ssh")) {
    pairs_to_map(*keys);
    for (auto& [name, path] : keys->items())
      if (path.is_string()) path = request.path(text_of(path));
  }
  for (const char* key : {"provenance", "sbom"})
    if (json* given = find(*build, key)) *given = text_of(*given);
  lengthen_grants(find(*build, "secrets"), "", false);
  make_unique(find(*build, "tags"), before_equals);
}

void lengthen_watches(json& service, const ModelRequest& request) {
  json* develop = find(service, "develop");
  json* watches = develop ? find(*develop, "watch") : nullptr;
  if (!watches || !watches->is_array()) return;
  for (json& watch : *watches) {
    if (!watch.is_object()) continue;
    for (const char* key : {"ignore", "include"})
      if (json* list = find(watch, key)) text_to_list(*list);
    if (watch.contains("path")) watch["path"] = request.path(word(watch, "path"));
  }
}

void lengthen_gpus(json& service) {
  json* gpus = find(service, "gpus");
  if (!gpus) return;
  if (!gpus->is_array()) *gpus = json::array({{{"count", "all"}}});
  fill_device_requests(gpus);
}

void lengthen_deploy(json& service) {
  json* deploy = find(service, "deploy");
  if (!deploy || !deploy->is_object()) return;
  json* resources = find(*deploy, "resources");
  json* reservations = resources ? find(*resources, "reservations") : nullptr;
  if (reservations) fill_device_requests(find(*reservations, "devices"));
}

}  // namespace

json long_ports(const std::string& text) {
  std::vector<Port> ports;
  try {
    ports = parse_short_ports(text);
  } catch (const util::Error&) {
    return json::array();
  }
  // By the container's port as a text, as Compose has it: 10 comes before 8.
  std::stable_sort(ports.begin(), ports.end(), [](const Port& a, const Port& b) {
    return std::to_string(a.target) < std::to_string(b.target);
  });
  const bool published_nothing = text.find(':') == std::string::npos;
  json out = json::array();
  for (const Port& port : ports) {
    json one{{"mode", "ingress"}, {"protocol", port.protocol}, {"target", port.target}};
    if (!port.host_ip.empty()) one["host_ip"] = port.host_ip;
    if (port.published != 0) {
      one["published"] = std::to_string(port.published) +
                         (port.published_end ? "-" + std::to_string(port.published_end) : "");
    } else if (!published_nothing) {
      // "0:80" is written so, "127.0.0.1::80" is not.
      const auto parts = util::split(text.substr(0, text.rfind('/')), ':');
      if (parts.size() > 1 && parts[parts.size() - 2] == "0") one["published"] = "0";
    }
    out.push_back(std::move(one));
  }
  return out;
}

json long_mount(const std::string& text) {
  const auto parts = split_short_mount(text);
  if (!parts) return {};
  static constexpr std::array k_propagations{"private", "rprivate", "shared", "rshared", "slave", "rslave"};
  json mount{{"target", parts->target}};
  if (!parts->source.empty()) mount["source"] = parts->source;
  for (const std::string& option : parts->options) {
    if (option == "ro") mount["read_only"] = true;
    if (option == "rw") mount["read_only"] = false;
    if (option == "nocopy") mount["volume"]["nocopy"] = true;
    if (option == "z" || option == "Z") mount["bind"]["selinux"] = option;
    if (std::find(k_propagations.begin(), k_propagations.end(), option) != k_propagations.end())
      mount["bind"]["propagation"] = option;
  }
  mount["type"] = parts->is_path() ? "bind" : "volume";
  if (parts->is_path()) {
    mount["bind"]["create_host_path"] = true;
  } else if (text.size() > 2 && !mount.contains("volume")) {
    mount["volume"] = json::object();
  }
  return mount;
}

namespace {

// What is the same before and after interpolation.
void lengthen_forms(json& service, const ModelRequest& request) {
  lengthen_build(service, request);
  lengthen_gpus(service);
  lengthen_deploy(service);
  lengthen_devices(find(service, "devices"));
  lengthen_grants(find(service, "secrets"), "/run/secrets/");
  lengthen_grants(find(service, "configs"), "");
  lengthen_ports(find(service, "ports"));
  lengthen_mounts(find(service, "volumes"), request);
  if (json* dns = find(service, "dns")) text_to_list(*dns);
  for (const char* key :
       {"cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "links", "profiles", "tmpfs"})
    make_unique(find(service, key), before_equals);
  make_unique(find(service, "expose"), text_of);
  if (json* models = find(service, "models")) list_to_map(*models, nullptr);
  lengthen_networks(service, request.normalize);
  lengthen_dependencies(service);
  if (request.normalize) imply_dependencies(service);
  lengthen_watches(service, request);
  fill_variables(find(service, "environment"), request, true);
  if (request.normalize && word(service, "pull_policy") == "if_not_present")
    service["pull_policy"] = "missing";
}

}  // namespace

void lengthen_service(json& service, const ModelRequest& request) {
  for (const char* key : {"dns_search", "tmpfs"})
    if (json* list = find(service, key)) text_to_list(*list);
  lengthen_forms(service, request);
  if (json* deploy = find(service, "deploy"); deploy && service.contains("scale"))
    (*deploy)["replicas"] = service["scale"];
  if (json* dns = find(service, "dns"); dns && dns->is_array()) {
    json kept = json::array();
    for (json& item : *dns)
      if (!text_of(item).empty()) kept.push_back(std::move(item));
    *dns = std::move(kept);
  }
  // C1.5: a pre_start without an image has the service's.
  if (json* hooks = find(service, "pre_start"); hooks && hooks->is_array())
    for (json& hook : *hooks)
      if (hook.is_object() && word(hook, "image").empty()) hook["image"] = word(service, "image");
}

void lengthen_written(json& service, const ModelRequest& request) {
  lengthen_forms(service, request);
  json* build = find(service, "build");
  json* deploy = find(service, "deploy");
  for (const char* key : {"environment", "labels", "annotations", "sysctls"})
    make_unique(find(service, key), before_equals);
  for (const char* key : {"args", "labels"})
    if (build) make_unique(find(*build, key), before_equals);
  if (deploy) make_unique(find(*deploy, "labels"), before_equals);
  if (json* files = find(service, "env_file")) {
    text_to_list(*files);
    if (files->is_object()) *files = json::array({*files});
    for (json& file : *files) {
      if (!file.is_object()) file = {{"path", text_of(file)}};
      if (!file.contains("required")) file["required"] = true;
      file["path"] = request.path(word(file, "path"));
    }
  }
  if (json* files = find(service, "label_file")) {
    text_to_list(*files);
    for (json& file : *files) file = request.path(text_of(file));
  }
}

}  // namespace stackd::compose
