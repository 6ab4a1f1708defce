#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "daemon/compose/short_forms.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"
#include "daemon/util/text.hpp"
#include "daemon/yaml/typed.hpp"

namespace stackd::stackfile {

namespace {

// How the values of a place in the file merge; everything without a rule: maps merge, lists append, scalars
// replace.
enum class Rule {
  replace,       // the further file's value stands alone
  pairs,         // a mapping or a list of K=V: by key
  names,         // a list of names or a mapping of them: by name
  dependencies,  // the same, for depends_on
  unique,        // a string or a list: appended, each value once
  mounts,        // by target
  grants,        // secrets and configs: by target
  ports,         // by address, host port, container port and protocol
  env_files,     // by path
  devices,       // by path in the container
  build,         // a string is its context
  logging,       // another driver replaces, else merge
  pools,         // ipam.config: by subnet
};

struct PathRule {
  std::string_view path;  // "*" stands for one segment
  Rule rule;
};

constexpr std::array k_rules{
    PathRule{"services.*.command", Rule::replace},
    PathRule{"services.*.entrypoint", Rule::replace},
    PathRule{"services.*.healthcheck.test", Rule::replace},
    PathRule{"services.*.ulimits.*", Rule::replace},
    PathRule{"services.*.environment", Rule::pairs},
    PathRule{"services.*.labels", Rule::pairs},
    PathRule{"services.*.annotations", Rule::pairs},
    PathRule{"services.*.sysctls", Rule::pairs},
    PathRule{"services.*.storage_opt", Rule::pairs},
    PathRule{"services.*.build", Rule::build},
    PathRule{"services.*.build.args", Rule::pairs},
    PathRule{"services.*.build.labels", Rule::pairs},
    PathRule{"services.*.build.additional_contexts", Rule::pairs},
    PathRule{"services.*.build.tags", Rule::unique},
    PathRule{"services.*.build.extra_hosts", Rule::unique},
    PathRule{"services.*.deploy.labels", Rule::pairs},
    PathRule{"services.*.depends_on", Rule::dependencies},
    PathRule{"services.*.networks", Rule::names},
    PathRule{"services.*.networks.*.aliases", Rule::unique},
    PathRule{"services.*.networks.*.link_local_ips", Rule::unique},
    PathRule{"services.*.dns", Rule::unique},
    PathRule{"services.*.dns_opt", Rule::unique},
    PathRule{"services.*.dns_search", Rule::unique},
    PathRule{"services.*.extra_hosts", Rule::unique},
    PathRule{"services.*.tmpfs", Rule::unique},
    PathRule{"services.*.expose", Rule::unique},
    PathRule{"services.*.cap_add", Rule::unique},
    PathRule{"services.*.cap_drop", Rule::unique},
    PathRule{"services.*.security_opt", Rule::unique},
    PathRule{"services.*.group_add", Rule::unique},
    PathRule{"services.*.links", Rule::unique},
    PathRule{"services.*.profiles", Rule::unique},
    PathRule{"services.*.label_file", Rule::unique},
    PathRule{"services.*.env_file", Rule::env_files},
    PathRule{"services.*.devices", Rule::devices},
    PathRule{"services.*.volumes", Rule::mounts},
    PathRule{"services.*.secrets", Rule::grants},
    PathRule{"services.*.configs", Rule::grants},
    PathRule{"services.*.ports", Rule::ports},
    PathRule{"services.*.logging", Rule::logging},
    PathRule{"networks.*.labels", Rule::pairs},
    PathRule{"networks.*.ipam.config", Rule::pools},
    PathRule{"volumes.*.labels", Rule::pairs},
    PathRule{"env", Rule::pairs},
    PathRule{"owned.*.env", Rule::pairs},
    PathRule{"owned.*.depends_on", Rule::unique},
    PathRule{"env_files", Rule::unique},
};

bool matches(std::string_view pattern, const std::vector<std::string>& path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t dot = pattern.find('.');
    const std::string_view segment = pattern.substr(0, dot);
    if (segment != "*" && segment != path[i]) return false;
    if (dot == std::string_view::npos) return i + 1 == path.size();
    pattern.remove_prefix(dot + 1);
  }
  return false;
}

std::optional<Rule> rule_of(const std::vector<std::string>& path) {
  for (const PathRule& candidate : k_rules) {
    if (matches(candidate.path, path)) return candidate.rule;
  }
  return std::nullopt;
}

Value scalar_at(const Place& place, std::string text) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.text = std::move(text);
  value.place = place;
  return value;
}

bool all_scalars(const Value& list) {
  return std::all_of(list.items.begin(), list.items.end(),
                     [](const Value& item) { return item.is_scalar(); });
}

// A list as the mapping that it stands for; `make` gives an item's key and value. Other kinds stay.
void list_to_mapping(Value& value, const std::function<Entry(const Value&)>& make) {
  if (!value.is_sequence() || !all_scalars(value)) return;
  std::vector<Value> items = std::move(value.items);
  value.kind = Value::Kind::mapping;
  value.items.clear();
  for (const Value& item : items) {
    Entry entry = make(item);
    if (Value* before = value.find(entry.key)) {
      *before = std::move(entry.value);
    } else {
      value.entries.push_back(std::move(entry));
    }
  }
}

Entry pair_entry(const Value& item) {
  const std::size_t equals = item.text.find('=');
  Entry entry{item.text.substr(0, equals), item.place, {}};
  entry.value.place = item.place;
  if (equals != std::string::npos) entry.value = scalar_at(item.place, item.text.substr(equals + 1));
  return entry;
}

Entry name_entry(const Value& item) {
  Entry entry{item.text, item.place, {}};
  entry.value.place = item.place;
  return entry;
}

Entry dependency_entry(const Value& item) {
  Entry entry = name_entry(item);
  entry.value.kind = Value::Kind::mapping;
  entry.value.entries.push_back({"condition", item.place, scalar_at(item.place, "service_started")});
  entry.value.entries.push_back({"required", item.place, scalar_at(item.place, "true")});
  return entry;
}

void scalar_to_list(Value& value) {
  if (!value.is_scalar()) return;
  Value item = value;
  item.tag.clear();
  value.kind = Value::Kind::sequence;
  value.text.clear();
  value.items.push_back(std::move(item));
}

// Lists whose items have an identity: an item of the further list replaces the one with its key, else it is
// appended.
void merge_by_key(Value& base, Value over, const std::function<std::string(const Value&)>& key) {
  for (Value& item : over.items) {
    const std::string wanted = key(item);
    const auto same = std::find_if(base.items.begin(), base.items.end(), [&](const Value& other) {
      return !wanted.empty() && key(other) == wanted;
    });
    if (same == base.items.end()) {
      base.items.push_back(std::move(item));
    } else {
      *same = std::move(item);
    }
  }
}

std::string field(const Value& item, std::string_view key) {
  const Value* value = item.is_mapping() ? item.find(key) : nullptr;
  return value && value->is_scalar() ? value->text : "";
}

// A number is another one than its text, as in Compose.
std::string text_key(const Value& item) {
  if (!item.is_scalar()) return "";
  return (yaml::typed(item).type == yaml::Typed::Type::text ? "" : "#") + item.text;
}

std::string mount_key(const Value& item) {
  if (!item.is_scalar()) return field(item, "target");
  const auto mount = split_short_mount(item.text);
  return mount ? mount->target : "";
}

std::string grant_key(const Value& item) {
  if (item.is_scalar()) return item.text;
  const std::string target = field(item, "target");
  return target.empty() ? field(item, "source") : target;
}

std::string port_key(const Value& item) {
  const auto or_else = [](std::string text, const char* fallback) { return text.empty() ? fallback : text; };
  if (item.is_scalar()) {
    // "IP:HOST:TARGET/PROTOCOL" with what is missing in its place.
    const std::string text =
        lower_case(item.text.find('/') == std::string::npos ? item.text + "/tcp" : item.text);
    const auto colons = std::count(text.begin(), text.end(), ':');
    return (colons == 0 ? "::" : colons == 1 ? ":" : "") + text;
  }
  return field(item, "host_ip") + ":" + field(item, "published") + ":" + field(item, "target") + "/" +
         lower_case(or_else(field(item, "protocol"), "tcp"));
}

std::string env_file_key(const Value& item) {
  return item.is_scalar() ? item.text : field(item, "path");
}

std::string device_key(const Value& item) {
  if (!item.is_scalar()) return field(item, "target");
  const auto parts = util::split(item.text, ':');
  return parts.size() > 1 ? parts[1] : parts[0];
}

std::string pool_key(const Value& item) {
  return field(item, "subnet");
}

// One merge of two trees; the path is kept on the way down.
class Merger {
public:
  explicit Merger(Problems& problems) : problems_(problems) {}

  void merge(Value& base, Value over, std::vector<std::string>& path) {
    if (over.tag == "!override" || base.is_null()) {
      base = std::move(over);
      drop_resets(base);
      return;
    }
    const auto rule = rule_of(path);
    if (over.is_null()) return;
    const bool own = !path.empty() && (path.front() == "env" ||
                                       path.front() == "owned");  // stackd's keys are no part of Compose's
    if (rule == Rule::pairs && !own) {
      sort_pairs(base);
      sort_pairs(over);
    }
    if (rule && apply(*rule, base, over)) return;
    combine(base, std::move(over), path);
    // What is merged is a list from then on, as in Compose.
    if (rule == Rule::pairs && !own && path.back() != "storage_opt") mapping_to_pairs(base);
  }

private:
  void combine(Value& base, Value over, std::vector<std::string>& path) {
    if (base.is_mapping() && over.is_mapping()) {
      for (Entry& entry : over.entries) merge_entry(base, std::move(entry), path);
    } else if (base.is_sequence() && over.is_sequence()) {
      drop_resets(over);
      std::move(over.items.begin(), over.items.end(), std::back_inserter(base.items));
    } else if (base.is_scalar() && over.is_scalar()) {
      base = std::move(over);
    } else {
      problems_.add(over.place, "'" + util::join(path, ".") + "' is of another kind than in " +
                                    base.place.file + ":" + std::to_string(base.place.line) +
                                    ", the two cannot be merged");
    }
  }

  void merge_entry(Value& base, Entry over, std::vector<std::string>& path) {
    const auto same = std::find_if(base.entries.begin(), base.entries.end(),
                                   [&](const Entry& entry) { return entry.key == over.key; });
    if (over.value.tag == "!reset") {
      if (same != base.entries.end()) base.entries.erase(same);
      return;
    }
    if (same == base.entries.end()) {
      drop_resets(over.value);
      base.entries.push_back(std::move(over));
      return;
    }
    // A variable without a value takes the place of one with a value: it is the caller's then.
    if (over.value.is_null() && rule_of(path) == Rule::pairs) {
      same->value = std::move(over.value);
      return;
    }
    path.push_back(over.key);
    merge(same->value, std::move(over.value), path);
    path.pop_back();
  }

  // Whether the rule did all of it.
  static bool apply(Rule rule, Value& base, Value& over) {
    switch (rule) {
      case Rule::replace:
        base = std::move(over);
        return true;
      case Rule::pairs:
        // A list has no key to take away, as in Compose.
        if (base.is_sequence())
          std::erase_if(over.entries, [](const Entry& entry) { return entry.value.tag == "!reset"; });
        return to_mappings(base, over, pair_entry);
      case Rule::names:
        return to_mappings(base, over, name_entry);
      case Rule::dependencies:
        return to_mappings(base, over, dependency_entry);
      case Rule::unique:
        // A mapping (extra_hosts: {host: address}) as the list that it stands for.
        take_away_resets(base, over);
        mapping_to_list(base);
        mapping_to_list(over);
        return by_key(base, over, text_key);
      case Rule::mounts:
        return by_key(base, over, mount_key);
      case Rule::grants:
        return by_key(base, over, grant_key);
      case Rule::ports:
        return by_key(base, over, port_key);
      case Rule::env_files:
        return by_key(base, over, env_file_key);
      case Rule::devices:
        return by_key(base, over, device_key);
      case Rule::pools:
        return by_key(base, over, pool_key);
      case Rule::build:
        build_to_mapping(base);
        build_to_mapping(over);
        return false;
      case Rule::logging:
        if (field(over, "driver").empty() || field(over, "driver") == field(base, "driver")) return false;
        base = std::move(over);
        return true;
    }
    return false;
  }

  static bool to_mappings(Value& base, Value& over, Entry (*make)(const Value&)) {
    list_to_mapping(base, make);
    list_to_mapping(over, make);
    return false;  // two mappings: merged as any others
  }

  static bool by_key(Value& base, Value& over, std::string (*key)(const Value&)) {
    scalar_to_list(base);
    scalar_to_list(over);
    if (!base.is_sequence() || !over.is_sequence()) return false;
    drop_resets(over);
    merge_by_key(base, std::move(over), key);
    return true;
  }

  static std::string pair_text(const Entry& entry) {
    return entry.value.is_null() ? entry.key : entry.key + "=" + yaml::typed(entry.value).text;
  }

  // Compose sorts a mapping when it makes a list of it; that of a list it keeps.
  static void sort_pairs(Value& value) {
    const auto before = [](const Entry& one, const Entry& other) {
      return pair_text(one) < pair_text(other);
    };
    std::stable_sort(value.entries.begin(), value.entries.end(), before);
  }

  // A mapping of texts as K=V; what is none of texts is the decoder's to refuse.
  static void mapping_to_pairs(Value& value) {
    const auto is_text = [](const Entry& entry) { return entry.value.is_scalar() || entry.value.is_null(); };
    if (!value.is_mapping() || !std::all_of(value.entries.begin(), value.entries.end(), is_text)) return;
    for (const Entry& entry : value.entries) {
      const auto& place = entry.value.place.line ? entry.value.place : entry.place;
      value.items.push_back(scalar_at(place, pair_text(entry)));
    }
    value.entries.clear();
    value.kind = Value::Kind::sequence;
  }

  static void take_away_resets(Value& base, Value& over) {
    for (const Entry& entry : over.entries)
      if (entry.value.tag == "!reset")
        std::erase_if(base.entries, [&](const Entry& other) { return other.key == entry.key; });
    std::erase_if(over.entries, [](const Entry& entry) { return entry.value.tag == "!reset"; });
  }

  static void mapping_to_list(Value& value) {
    if (!value.is_mapping()) return;
    for (Entry& entry : value.entries) {
      if (entry.value.is_scalar())
        value.items.push_back(scalar_at(entry.place, entry.key + "=" + entry.value.text));
    }
    value.entries.clear();
    value.kind = Value::Kind::sequence;
  }

  static void build_to_mapping(Value& value) {
    if (!value.is_scalar()) return;
    Value context = value;
    value.kind = Value::Kind::mapping;
    value.text.clear();
    value.entries.push_back({"context", context.place, std::move(context)});
  }

  Problems& problems_;
};

}  // namespace

void merge_files(Value& base, Value over, Problems& problems) {
  std::vector<std::string> path;
  Merger(problems).merge(base, std::move(over), path);
}

void merge_services(Value& base, Value over, Problems& problems) {
  std::vector<std::string> path{"services", "*"};
  Merger(problems).merge(base, std::move(over), path);
}

void drop_resets(Value& value) {
  std::erase_if(value.entries, [](const Entry& entry) { return entry.value.tag == "!reset"; });
  std::erase_if(value.items, [](const Value& item) { return item.tag == "!reset"; });
  value.tag.clear();
  for (Entry& entry : value.entries) drop_resets(entry.value);
  for (Value& item : value.items) drop_resets(item);
}

}  // namespace stackd::stackfile
