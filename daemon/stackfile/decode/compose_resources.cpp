#include <set>

#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

// Name and external, which all four kinds have. `external: {name: …}` is the old form.
template <class Resource>
void decode_name(Reader& reader, const std::string& key, const ComposeContext& context, Resource& resource) {
  resource.name = reader.string("name");
  if (const Value* external = reader.get("external")) {
    if (external->is_mapping()) {
      Reader old_form(*external, reader.what() + ", 'external'", reader.problems());
      resource.external = true;
      if (resource.name.empty()) resource.name = old_form.string("name");
      old_form.finish();
    } else {
      resource.external = reader.boolean("external");
    }
  }
  if (resource.name.empty()) resource.name = resource.external ? key : context.decode.name + "_" + key;
}

Network::Pool decode_pool(const Value& value, Reader& reader) {
  Reader fields(value, reader.what() + ", 'ipam'", reader.problems());
  Network::Pool pool;
  pool.subnet = fields.string("subnet");
  pool.gateway = fields.string("gateway");
  pool.ip_range = fields.string("ip_range");
  pool.aux_addresses = fields.string_map("aux_addresses");
  fields.finish();
  return pool;
}

Network decode_network(const Entry& entry, const ComposeContext& context) {
  Reader reader(entry.value, "network '" + entry.key + "'", context.decode.problems);
  Network network;
  decode_name(reader, entry.key, context, network);
  network.driver = reader.string("driver");
  network.driver_opts = reader.string_map("driver_opts");
  network.labels = reader.string_map("labels");
  network.internal = reader.boolean("internal");
  network.attachable = reader.boolean("attachable");
  network.enable_ipv6 = reader.maybe_boolean("enable_ipv6");
  network.enable_ipv4 = reader.maybe_boolean("enable_ipv4");
  if (const Value* ipam = reader.get("ipam")) {
    Reader fields(*ipam, reader.what() + ", 'ipam'", reader.problems());
    network.ipam_driver = fields.string("driver");
    fields.ignore({"options"});  // Compose does not hand them on either
    if (const Value* pools = fields.get("config")) {
      if (!pools->is_sequence()) reader.problem(pools->place, fields.what() + ", 'config': expected a list");
      for (const Value& pool : pools->items) network.ipam.push_back(decode_pool(pool, reader));
    }
    fields.finish();
  }
  reader.finish();
  return network;
}

Volume decode_volume(const Entry& entry, const ComposeContext& context) {
  Reader reader(entry.value, "volume '" + entry.key + "'", context.decode.problems);
  Volume volume;
  decode_name(reader, entry.key, context, volume);
  volume.driver = reader.string("driver");
  volume.driver_opts = reader.string_map("driver_opts");
  volume.labels = reader.string_map("labels");
  reader.finish();
  for (const char* key : {"driver", "driver_opts", "labels"})
    if (volume.external && reader.has(key))
      reader.problem(entry.place,
                     reader.what() + " is external, so its '" + key + "' is not this file's to say");
  return volume;
}

FileSource decode_file_source(const Entry& entry, const std::string& kind, ComposeContext& context) {
  Reader reader(entry.value, kind + " '" + entry.key + "'", context.decode.problems);
  FileSource source;
  decode_name(reader, entry.key, context, source);
  source.file = reader.string("file");
  source.environment = reader.string("environment");
  const auto content = reader.maybe_string("content");
  const bool driven = reader.has("driver");  // which finds what it holds by itself
  reader.ignore({"labels", "driver_opts", "template_driver"});
  reader.finish();
  const int given = (source.file.empty() ? 0 : 1) + (source.environment.empty() ? 0 : 1) + (content ? 1 : 0) +
                    (source.external ? 1 : 0);
  if (given != 1 && !(driven && given == 0)) {
    reader.problem(entry.place, reader.what() +
                                    ": give one of 'file', 'environment', 'content' and 'external'" +
                                    (given > 1 ? ", not several" : ""));
  }
  if (!source.file.empty()) source.file = context.path(source.file);
  if (content) source.content = *content;
  if (!source.environment.empty() && context.decode.request.environment.count(source.environment) == 0) {
    // Set in `.env` only: the up does not read that file again.
    const auto found = context.variables.find(source.environment);
    if (found != context.variables.end()) {
      source.content = found->second;
    } else {
      context.unusable[kind + " " + entry.key] = {
          entry.place, reader.what() + ": the variable '" + source.environment + "' is not set"};
    }
  }
  if (source.external || (driven && given == 0))
    context.unusable[kind + " " + entry.key] = {
        entry.place, reader.what() + (source.external ? " is external" : " is a driver's") +
                         ", which is for a swarm; give it a file, an environment or a content"};
  return source;
}

template <class Map, class Decode>
void decode_section(Reader& top, std::string_view key, Map& map, Decode decode) {
  const Value* section = top.get(key);
  if (!section) return;
  if (!section->is_mapping()) {
    top.problem(section->place, "'" + std::string(key) + "': expected a mapping of names");
    return;
  }
  for (const Entry& entry : section->entries) {
    if (!entry.key.starts_with("x-")) map[entry.key] = decode(entry);
  }
}

template <class Map>
void require(const std::string& kind, const std::string& key, const Map& declared, const Service& service,
             Problems& problems) {
  if (declared.count(key) != 0) return;
  std::vector<std::string> names;
  for (const auto& [name, unused] : declared) names.push_back(name);
  const auto near = util::nearest(key, names);
  const bool path = kind == "volume" && key.find('/') != std::string::npos;
  problems.add(service.place, "service '" + service.name + "' uses the " + kind + " '" + key + "', which '" +
                                  kind + "s' at the top level does not declare" +
                                  (path   ? "; a path begins with ./, / or ~"
                                   : near ? ", did you mean '" + *near + "'?"
                                          : ""));
}

}  // namespace

void decode_resources(Reader& top, ComposeContext& context, Spec& spec) {
  decode_section(top, "networks", spec.networks,
                 [&](const Entry& entry) { return decode_network(entry, context); });
  decode_section(top, "volumes", spec.volumes,
                 [&](const Entry& entry) { return decode_volume(entry, context); });
  decode_section(top, "secrets", spec.secrets,
                 [&](const Entry& entry) { return decode_file_source(entry, "secret", context); });
  decode_section(top, "configs", spec.configs,
                 [&](const Entry& entry) { return decode_file_source(entry, "config", context); });
}

void check_models(const Value& document, const Spec& spec, Problems& problems) {
  const Value* models = document.find("models");
  const Value* services = document.find("services");
  std::map<std::string, bool> declared;
  if (models)
    for (const Entry& entry : models->entries) declared[entry.key] = true;
  for (const Service& service : spec.services) {
    const Value* written = services ? services->find(service.name) : nullptr;
    const Value* used = written && written->is_mapping() ? written->find("models") : nullptr;
    if (!used) continue;
    for (const Value& item : used->items) require("model", item.text, declared, service, problems);
    for (const Entry& entry : used->entries) require("model", entry.key, declared, service, problems);
  }
}

void check_resources(const ComposeContext& context, Spec& spec) {
  Problems unheard;
  const bool consistent = !context.decode.request.undone.consistency;
  Problems& problems = consistent ? context.decode.problems : unheard;
  for (const Service& service : spec.services) {
    if (!service.container) continue;
    for (const auto& [key, unused] : service.container->networks) {
      if (key == "default" && spec.networks.count(key) == 0)
        spec.networks[key].name = context.decode.name + "_default";
      require("network", key, spec.networks, service, problems);
    }
    for (const Mount& mount : service.container->mounts) {
      if (mount.type == "volume" && !mount.source.empty())
        require("volume", mount.source, spec.volumes, service, problems);
    }
    const auto grant = [&](const std::string& kind, const std::vector<FileGrant>& grants,
                           const auto& sources) {
      for (const FileGrant& one : grants) {
        require(kind, one.source, sources, service, problems);
        const auto found = context.unusable.find(kind + " " + one.source);
        if (found != context.unusable.end() && context.decode.request.to_run)
          problems.add(found->second.first, found->second.second);
      }
    };
    grant("secret", service.container->secrets, spec.secrets);
    grant("config", service.container->configs, spec.configs);
  }
}

}  // namespace stackd::stackfile
