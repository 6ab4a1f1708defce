// A whole lich.yaml (L1). Its containers become a Compose document, with what their sibling compose files say
// under what the lich.yaml says, and go the way of every Compose document.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "daemon/compose/short_forms.hpp"
#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/stackfile/decode/extras_parts.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"
#include "daemon/stackfile/vocabularies.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> k_passed_on{"image",   "environment", "healthcheck",
                                                 "volumes", "networks",    "tmpfs"};
constexpr std::array<const char*, 4> k_compose_files{"compose.yaml", "compose.yml", "docker-compose.yaml",
                                                     "docker-compose.yml"};
constexpr std::array<const char*, 4> k_resources{"networks", "volumes", "secrets", "configs"};

Value mapping_at(const Place& place) {
  Value value;
  value.kind = Value::Kind::mapping;
  value.place = place;
  return value;
}

// The mapping `key` of a mapping, made when it is not there.
Value& section(Value& document, const std::string& key) {
  if (Value* found = document.find(key)) return *found;
  document.entries.push_back({key, document.place, mapping_at(document.place)});
  return document.entries.back().value;
}

void erase_key(Value& mapping, std::string_view key) {
  std::erase_if(mapping.entries, [&](const Entry& entry) { return entry.key == key; });
}

// A service of a compose file: where it comes from.
struct Origin {
  fs::path file;
  std::string service;
  auto operator<=>(const Origin&) const = default;
};

class Containers {
public:
  Containers(const Value& services, DecodeContext& context, Spec& spec)
      : services_(services),
        context_(context),
        problems_(context.problems),
        spec_(spec),
        variables_(compose_variables(context.directory, context.request.environment, problems_)) {}

  // The Compose document that stands for `services`.
  Value document() {
    document_ = mapping_at(services_.place);
    section(document_, "services");
    for (const Entry& entry : services_.entries) {
      if (!entry.key.starts_with("x-")) add_written(entry);
    }
    // What the compose files' own depends_on names comes with them.
    while (!wanted_.empty()) {
      const auto [name, origin] = wanted_.back();
      wanted_.pop_back();
      if (section(document_, "services").find(name)) continue;
      const auto [found, place] = find_service(origin, services_.place);
      if (found) add(name, place, adopted(*found, origin));
    }
    declare_resources();
    return std::move(document_);
  }

private:
  void add(const std::string& name, const Place& place, Value service) {
    section(document_, "services").entries.push_back({name, place, std::move(service)});
  }

  void add_written(const Entry& entry) {
    Reader reader(entry.value, "service '" + entry.key + "'", problems_);
    Value service = mapping_at(entry.value.place);
    if (const auto origin = origin_of(entry, reader)) {
      const auto [found, place] = find_service(*origin, entry.place);
      if (found) service = adopted(*found, *origin);
    }
    Value own = mapping_at(entry.value.place);
    for (const char* key : k_passed_on) {
      if (const Value* value = reader.get(key))
        own.entries.push_back({key, value->place, interpolated(*value)});
    }
    merge_services(service, std::move(own), problems_);
    // Asked for by the lich.yaml itself, whatever profiles the compose file gives it.
    erase_key(service, "profiles");
    reader.ignore(
        {"ports", "lifecycle", "depends_on", "profiles"});  // decode_lich reads them from the service itself
    reader.finish();
    add(entry.key, entry.place, std::move(service));
  }

  Value interpolated(Value value) {
    const auto lookup = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
    Interpolator(lookup, problems_, spec_.warnings).apply(value);
    return value;
  }

  // L1.1: with compose_file or service, or with neither of them nor an image.
  std::optional<Origin> origin_of(const Entry& entry, Reader& reader) {
    const auto file = reader.maybe_string("compose_file");
    const auto service = reader.maybe_string("service");
    if (!file && !service && reader.get("image")) return std::nullopt;
    Origin origin;
    origin.service = service.value_or(entry.key);
    if (file) {
      origin.file = absolute_path(*file, context_.directory, variables_);
      return origin;
    }
    for (const char* name : k_compose_files) {
      origin.file = fs::path(context_.directory) / name;
      std::error_code failed;
      if (fs::is_regular_file(origin.file, failed)) return origin;
    }
    reader.problem(entry.place, reader.what() + " has neither an 'image' nor a 'compose_file'");
    return std::nullopt;
  }

  const Value& tree_of(const fs::path& file, const Place& place) {
    const auto known = trees_.find(file);
    if (known != trees_.end()) return known->second;
    Value tree = mapping_at(place);
    try {
      Documents documents(context_.request.directory);
      tree = load_compose_tree(
          {{file}, file.parent_path(), context_.request.directory, variables_, false, documents}, problems_,
          spec_.warnings);
    } catch (const util::Error& error) {
      problems_.add(place, error.what());
    }
    absolute_document_paths(tree, file.parent_path(), variables_);
    return trees_.emplace(file, std::move(tree)).first->second;
  }

  std::pair<const Value*, Place> find_service(const Origin& origin, const Place& place) {
    const Value* services = tree_of(origin.file, place).find("services");
    std::vector<std::string> names;
    if (services) {
      for (const Entry& entry : services->entries) {
        if (entry.key == origin.service) return {&entry.value, entry.place};
        names.push_back(entry.key);
      }
      problems_.add(place, shown_path(origin.file, context_.request.directory) + " has no service '" +
                               origin.service + "'" + resolve::hint(origin.service, names));
    }
    return {nullptr, place};
  }

  // A service of a compose file, its dependencies renamed to what they are called here.
  Value adopted(Value service, const Origin& origin) {
    Value* dependencies = service.find("depends_on");
    if (!dependencies) return service;
    for (Value& item : dependencies->items) item.text = name_for({origin.file, item.text});
    for (Entry& entry : dependencies->entries) entry.key = name_for({origin.file, entry.key});
    return service;
  }

  std::string name_for(const Origin& origin) {
    for (const Entry& entry : services_.entries) {
      Problems reported_elsewhere;
      Reader reader(entry.value, entry.key, reported_elsewhere);
      const auto service = reader.maybe_string("service");
      if (service.value_or(entry.key) != origin.service) continue;
      const auto other = origin_of(entry, reader);
      if (other && *other == origin) return entry.key;
    }
    wanted_.emplace_back(origin.service, origin);
    return origin.service;
  }

  // Those of the compose files, and what the lich.yaml's own volumes and networks name.
  void declare_resources() {
    for (const auto& [file, tree] : trees_) {
      for (const char* key : k_resources) {
        const Value* resources = tree.find(key);
        if (!resources) continue;
        for (const Entry& entry : resources->entries) {
          Value& into = section(document_, key);
          if (!into.find(entry.key)) into.entries.push_back(entry);
        }
      }
    }
    for (const Entry& entry : services_.entries) {
      if (const Value* volumes = entry.value.find("volumes")) {
        for (const Value& item : volumes->items) declare("volumes", volume_name(item), item.place);
      }
      if (const Value* networks = entry.value.find("networks")) {
        for (const Value& item : networks->items) declare("networks", item.text, item.place);
        for (const Entry& item : networks->entries) declare("networks", item.key, item.place);
      }
    }
  }

  static std::string volume_name(const Value& item) {
    if (item.is_mapping()) {
      const Value* type = item.find("type");
      const Value* source = item.find("source");
      return type && source && type->text == "volume" ? source->text : "";
    }
    const auto mount = split_short_mount(item.text);
    return mount && !mount->is_path() ? mount->source : "";
  }

  void declare(const char* key, const std::string& name, const Place& place) {
    if (name.empty() || name == "default") return;
    Value& into = section(document_, key);
    if (!into.find(name)) into.entries.push_back({name, place, mapping_at(place)});
  }

  const Value& services_;
  DecodeContext& context_;
  Problems& problems_;
  Spec& spec_;
  FileVariables variables_;
  Value document_;
  std::map<fs::path, Value> trees_;
  std::vector<std::pair<std::string, Origin>> wanted_;
};

// The lich.yaml's ports take the place of those that the compose file publishes for the same port of the
// container.
void put_ports(const Value& ports, DecodeContext& context, Service& service) {
  std::vector<Port> own;
  decode_lich_ports(ports, "service '" + service.name + "'", true, context.problems, own);
  std::vector<Port> others = std::move(service.ports);
  service.ports = own;
  for (Port& port : others) {
    const bool given = std::any_of(own.begin(), own.end(), [&](const Port& one) {
      return one.target == port.target && one.protocol == port.protocol;
    });
    if (given) continue;
    port.key = std::to_string(port.target) + "/" + port.protocol;
    service.ports.push_back(std::move(port));
  }
}

void put_own_keys(const Entry& entry, DecodeContext& context, Spec& spec) {
  const auto service = std::find_if(spec.services.begin(), spec.services.end(),
                                    [&](const Service& candidate) { return candidate.name == entry.key; });
  if (service == spec.services.end()) return;
  Problems keys_are_checked_already;
  Reader keys(entry.value, "service '" + entry.key + "'", keys_are_checked_already);
  if (const Value* ports = keys.get("ports")) put_ports(*ports, context, *service);
  if (const Value* lifecycle = keys.get("lifecycle"))
    decode_lifecycle(*lifecycle, entry.key, context, service->hooks);
  Reader values(entry.value, keys.what(), context.problems);
  const bool in_compose_file = service->depends_on_given;
  if (const Value* dependencies = values.get("depends_on"); dependencies && dependencies->is_mapping()) {
    values.problem(dependencies->place, values.what() + ", 'depends_on': expected a list of names");
  } else {
    decode_ready_list(values, *service);
  }
  service->depends_on_given = service->depends_on_given || in_compose_file;
}

void check_version(const Value& document, Reader& top) {
  const auto version = top.maybe_string("version");
  if (!version) {
    top.problem(document.place, "the file has no 'version': a lich.yaml begins with version: \"1\"");
  } else if (*version != "1") {
    top.problem(top.get("version")->place, "'version': expected \"1\", found '" + *version + "'");
  }
}

}  // namespace

void decode_lich(const Value& document, DecodeContext& context, Spec& spec) {
  Reader top(document, "the file", context.problems);
  check_version(document, top);
  const Value* services = top.get("services");
  if (services && !services->is_mapping()) {
    top.problem(services->place, "'services': expected a mapping of names");
    services = nullptr;
  }
  if (services) {
    Extension extension;  // a sibling compose file may have its x-stackd
    extension.service = [&](Reader& reader, Spec&, Service& service) {
      decode_stackd_service(reader, context, spec, service);
    };
    decode_compose(Containers(*services, context, spec).document(), context, extension, spec);
    for (const Entry& entry : services->entries) put_own_keys(entry, context, spec);
  }
  decode_stackd_top(top, context, spec);
  top.finish();
}

}  // namespace stackd::stackfile
