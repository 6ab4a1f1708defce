#include <algorithm>

#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::stackfile {

namespace {

std::optional<Condition> condition_from(const std::string& word) {
  if (word == "service_started") return Condition::started;
  if (word == "service_healthy") return Condition::healthy;
  if (word == "service_completed_successfully") return Condition::completed_successfully;
  return std::nullopt;
}

Dependency decode_dependency(const Entry& entry, Reader& reader) {
  Dependency dependency;
  Reader fields(entry.value, reader.what() + ", 'depends_on." + entry.key + "'", reader.problems());
  const std::string word = fields.string("condition", "service_started");
  dependency.required = fields.boolean("required", true);
  dependency.restart = fields.boolean("restart");
  fields.finish();
  if (const auto condition = condition_from(word)) {
    dependency.condition = *condition;
  } else {
    const std::vector<std::string> words{"service_started", "service_healthy",
                                         "service_completed_successfully"};
    const auto near = util::nearest(word, words);
    reader.problem(entry.value.place,
                   fields.what() + ": unknown condition '" + word + "', " +
                       (near ? "did you mean '" + *near + "'?" : "expected " + util::join(words, ", ")));
  }
  return dependency;
}

// What shares something with another service starts after it, as in Compose.
void add_implied(Reader& reader, Service& service) {
  const auto imply = [&](const std::string& name, bool restart) {
    service.depends_on.emplace(name, Dependency{Condition::started, true, restart});
  };
  for (const char* key : {"network_mode", "ipc", "pid", "uts", "cgroup"}) {
    const Value* value = reader.get(key);
    if (value && value->text.starts_with("service:")) imply(value->text.substr(8), true);
  }
  for (const std::string& text : reader.strings("links")) imply(util::split(text, ':')[0], true);
  for (const std::string& text : reader.strings("volumes_from")) {
    if (!text.starts_with("container:")) imply(util::split(text, ':')[0], false);
  }
}

Attachment decode_attachment(const Entry& entry, Reader& reader) {
  Attachment attachment;
  Reader fields(entry.value, reader.what() + ", 'networks." + entry.key + "'", reader.problems());
  attachment.aliases = fields.strings("aliases");
  attachment.ipv4_address = fields.string("ipv4_address");
  attachment.ipv6_address = fields.string("ipv6_address");
  attachment.mac_address = fields.string("mac_address");
  attachment.link_local_ips = fields.strings("link_local_ips");
  attachment.driver_opts = fields.string_map("driver_opts");
  attachment.priority =
      static_cast<int>(std::clamp(fields.integer("priority").value_or(0), -1'000'000LL, 1'000'000LL));
  attachment.gw_priority =
      static_cast<int>(std::clamp(fields.integer("gw_priority").value_or(0), -1'000'000LL, 1'000'000LL));
  attachment.interface_name = fields.string("interface_name");
  fields.finish();
  return attachment;
}

struct EnvFile {
  std::string path;
  bool required = true;
  bool raw = false;
};

std::optional<EnvFile> decode_env_file(const Value& value, Reader& reader) {
  EnvFile file;
  const std::string what = reader.what() + ", 'env_file'";
  if (value.is_mapping()) {
    Reader fields(value, what, reader.problems());
    file.path = fields.string("path");
    file.required = fields.boolean("required", true);
    const std::string format = fields.string("format");
    fields.finish();
    file.raw = format == "raw";
    if (!file.raw && !format.empty()) {
      reader.problem(value.place, what + ": expected 'format' raw, found '" + format + "'");
    }
  } else if (auto text = scalar(value, what, reader.problems())) {
    file.path = std::move(*text);
  } else {
    return std::nullopt;
  }
  if (file.path.empty()) {
    reader.problem(value.place, what + ": a path is missing");
    return std::nullopt;
  }
  return file;
}

// `own`: the service's environment, which the file's values may name.
void read_env_file(const Value& value, Reader& reader, const ComposeContext& context, const Environment& own,
                   Environment& into) {
  const auto file = decode_env_file(value, reader);
  if (!file) return;
  const std::string path = context.path(file->path);
  try {
    const auto text = util::read_user_file_if_there(path);
    if (!text && file->required) {
      reader.problem(value.place, reader.what() + ": cannot read env_file " + path + ": it is not there");
    }
    if (!text) return;
    const std::string shown = shown_path(path, context.decode.request.directory);
    FileVariables earlier;
    for (const auto& [key, variable] : into)
      if (variable) earlier.emplace(key, *variable);
    const Lookup lookup = [&](const std::string& name) {
      auto found = variable_lookup(context.variables)(name);
      if (found) return found;
      const auto given = own.find(name);
      return given == own.end() ? std::nullopt : given->second;
    };
    for (auto& [key, variable] : parse_dotenv(*text, shown, {lookup, &earlier, file->raw}, reader.problems()))
      into.insert_or_assign(key, std::move(variable));
  } catch (const util::Error& error) {
    reader.problem(value.place, reader.what() + ": " + error.what());
  }
}

}  // namespace

void ComposeContext::fill_in(Environment& environment) const {
  for (auto& [key, value] : environment) {
    if (value) continue;
    const auto found = variables.find(key);
    if (found != variables.end()) value = found->second;
  }
}

void decode_depends_on(Reader& reader, Service& service) {
  service.depends_on_given = reader.has("depends_on");
  if (const Value* value = reader.get("depends_on")) {
    if (value->is_mapping()) {
      for (const Entry& entry : value->entries)
        service.depends_on[entry.key] = decode_dependency(entry, reader);
    } else {
      for (const std::string& name :
           string_list(*value, reader.what() + ", 'depends_on'", reader.problems())) {
        service.depends_on[name] = {};
      }
    }
  }
  add_implied(reader, service);
}

void decode_attachments(Reader& reader, Container& container) {
  container.network_mode = reader.string("network_mode");
  const Value* value = reader.get("networks");
  if (!container.network_mode.empty()) {
    if (value) reader.problem(value->place, reader.what() + ": give 'networks' or 'network_mode', not both");
    return;
  }
  const bool none = !value || (value->items.empty() && value->entries.empty() && !value->is_scalar());
  if (none) {
    container.networks["default"] = {};
  } else if (value->is_mapping()) {
    for (const Entry& entry : value->entries)
      container.networks[entry.key] = decode_attachment(entry, reader);
  } else {
    for (const std::string& name : string_list(*value, reader.what() + ", 'networks'", reader.problems())) {
      container.networks[name] = {};
    }
  }
}

void decode_environment(Reader& reader, const ComposeContext& context, Service& service) {
  EnvLayer& layer = service.environment;
  layer.env = reader.environment("environment");
  context.fill_in(layer.env);
  const Value* files = reader.get("env_file");
  if (!files) return;
  for (const Value& item : files->is_sequence() ? files->items : std::vector{*files})
    read_env_file(item, reader, context, layer.env, layer.file_env);
}

void decode_labels(Reader& reader, const ComposeContext& context, Container& container) {
  for (const std::string& name : reader.strings("label_file")) {
    const Place place = reader.get("label_file")->place;
    const std::string path = context.path(name);
    try {
      const Lookup nothing = [](const std::string&) { return std::nullopt; };
      for (auto& [key, value] :
           parse_dotenv(util::read_user_file(path), path, {nothing}, reader.problems())) {
        container.labels.insert_or_assign(key, value);
      }
    } catch (const util::Error& error) {
      reader.problem(place, reader.what() + ", 'label_file': " + error.what());
    }
  }
  for (auto& [key, value] : reader.string_map("labels")) container.labels.insert_or_assign(key, value);
}

}  // namespace stackd::stackfile
