// stackctl config: the stack file as it is understood, in the words of `docker compose config`.
#include <algorithm>
#include <array>
#include <fstream>

#include "client/commands/commands.hpp"
#include "client/error.hpp"
#include "client/output/yaml.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

using nlohmann::ordered_json;

std::string names_of(const nlohmann::json& model, std::initializer_list<const char*> sections) {
  std::string text;
  for (const char* section : sections)
    if (const auto found = model.find(section); found != model.end())
      for (const auto& [name, value] : found->items()) text += name + "\n";
  return text;
}

std::string lines_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += name + "\n";
  return text;
}

// As Compose has it: the columns wide enough for its words.
std::string variables_of(const proto::Config& config, bool as_json) {
  if (as_json) {
    nlohmann::json out = nlohmann::json::object();
    for (const auto& one : config.variables)
      out[one.name] = {{"Name", one.name},
                       {"Required", one.required},
                       {"DefaultValue", one.default_value},
                       {"PresenceValue", one.alternate_value}};
    return out.dump(4, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  std::vector<std::array<std::string, 4>> rows{{"NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"}};
  for (const auto& one : config.variables)
    rows.push_back({one.name, one.required ? "true" : "false", one.default_value, one.alternate_value});
  std::array<int, 3> widths{20, 20, 20};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], static_cast<int>(row[i].size()) + 3);
  std::string text;
  for (const auto& row : rows)
    text += pad(row[0], widths[0]) + pad(row[1], widths[1]) + pad(row[2], widths[2]) + row[3] + "\n";
  return text;
}

std::string environment_of(const proto::Config& config) {
  std::string text;
  for (const auto& [name, value] : config.environment) text += name + "=" + value + "\n";
  return text;
}

std::string hashes_of(const proto::Config& config, const std::string& wanted) {
  std::string text;
  for (const auto& [service, hash] : config.hashes)
    if (wanted == "*") text += service + " " + hash + "\n";
  if (wanted == "*") return text;
  std::vector<std::string> known;
  for (const auto& [service, hash] : config.hashes) known.push_back(service);
  for (std::size_t begin = 0; begin <= wanted.size();) {
    const auto end = std::min(wanted.find(',', begin), wanted.size());
    const auto name = wanted.substr(begin, end - begin);
    const auto found = config.hashes.find(name);
    if (found == config.hashes.end()) {
      const auto near = nearest(name, known);
      throw ClientError(proto::k_not_found, "no container service '" + name + "'" +
                                                (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    text += name + " " + found->second + "\n";
    begin = end + 1;
  }
  return text;
}

// For reading: what the file is about first, as Compose has it.
ordered_json in_reading_order(const nlohmann::json& model) {
  ordered_json out;
  for (const char* key :
       {"name", "env", "lifecycle", "services", "owned", "networks", "volumes", "secrets", "configs"})
    if (const auto found = model.find(key); found != model.end()) out[key] = *found;
  for (const auto& [key, value] : model.items())
    if (!out.contains(key)) out[key] = value;
  return out;
}

// Of a compose.yaml the model as Compose prints it.
ordered_json printed(const proto::Config& config) {
  return ordered_json::parse(config.printed);
}

std::string models_of(const proto::Config& config) {
  std::string text;
  if (config.printed.empty()) return text;
  for (const auto& [name, model] : printed(config).value("models", ordered_json::object()).items())
    text += model.value("model", "") + "\n";
  return text;
}

std::string document_of(const proto::Config& config, bool as_json) {
  const auto json_text = [](const auto& document) {
    return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  };
  if (!config.printed.empty()) return as_json ? json_text(printed(config)) : yaml_text(printed(config));
  if (as_json) return json_text(config.model);
  return yaml_text(in_reading_order(config.model));
}

// A file that says nothing but which images; what is only built has none.
nlohmann::json images_of(const nlohmann::json& model) {
  nlohmann::json services = nlohmann::json::object();
  if (const auto all = model.find("services"); all != model.end())
    for (const auto& [name, service] : all->items())
      if (const auto image = service.find("image"); image != service.end())
        services[name] = {{"image", *image}};
  return {{"services", std::move(services)}};
}

std::string text_of(const proto::Config& config, const ConfigArgs& args, bool as_json) {
  if (args.list_services) return names_of(config.model, {"services", "owned"});
  if (args.volumes) return names_of(config.model, {"volumes"});
  if (args.networks) return names_of(config.model, {"networks"});
  if (args.profiles) return lines_of(config.profiles);
  if (args.models) return models_of(config);
  if (args.variables) return variables_of(config, as_json);
  if (args.environment) return environment_of(config);
  if (args.images) return lines_of(config.images);
  if (!args.hash.empty()) return hashes_of(config, args.hash);
  if (args.lock_digests) {
    const auto locked = images_of(config.model);
    return as_json ? locked.dump(2) + "\n" : yaml_text(locked);
  }
  return document_of(config, as_json);
}

}  // namespace

int run_config(Context& context, const ConfigArgs& args) {
  proto::UpRequest request = context.up_request();
  request.services = args.services;
  const bool as_json = context.json() || args.format == "json";
  request.config = {args.no_interpolate,
                    args.no_normalize,
                    args.no_path_resolution,
                    args.no_consistency,
                    args.variables,
                    args.environment,
                    args.resolve_digests || args.lock_digests,
                    !as_json};
  const proto::Config config = context.api().config(request);
  context.warn(config.warnings);
  if (args.quiet) return proto::k_done;
  const std::string text = text_of(config, args, as_json);
  if (args.output.empty()) {
    context.out(text);
    return proto::k_done;
  }
  std::ofstream file(args.output, std::ios::trunc);
  if (!(file << text) || !file.flush())
    throw ClientError(proto::k_operation_failed, "cannot write " + args.output);
  return proto::k_done;
}

}  // namespace stackd::client
