// A stack file as it was understood: nothing here runs or stores anything.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "daemon/compose/order.hpp"
#include "daemon/model/json.hpp"
#include "daemon/plan/order.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/stackfile/findings.hpp"
#include "daemon/stackfile/stack_model.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/translate/build_request.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::stacks {
namespace {

stackfile::Undone undone_of(const proto::ConfigOptions& options) {
  return {options.no_normalize, options.no_path_resolution, options.no_consistency};
}

// The file, narrowed to the services that were asked for and what they depend on.
awaitable<Loaded> narrowed(Parts& parts, proto::UpRequest request) {
  auto wish = load_request(request);
  wish.to_run = false;
  wish.undone = undone_of(request.config);
  auto loaded = co_await load(parts, std::move(wish));
  const auto chosen = plan::selection(loaded.spec, request.services, true);
  std::erase_if(loaded.spec.services, [&](const model::Service& s) { return !chosen.contains(s.name); });
  co_return loaded;
}

// Before interpolation.
awaitable<stackfile::AsWritten> as_written(Parts& parts, proto::UpRequest request) {
  auto wish = std::make_shared<stackfile::LoadRequest>(load_request(request));
  wish->undone = undone_of(request.config);
  auto work = [wish] { return stackfile::load_as_written(*wish); };
  return parts.user_files.run(work);
}

std::vector<proto::Variable> shown(const std::vector<stackfile::Variable>& variables) {
  std::vector<proto::Variable> out;
  for (const auto& one : variables)
    out.push_back({one.name, one.required, one.default_value, one.alternate_value});
  return out;
}

proto::Config config_of(stackfile::AsWritten written, const std::vector<std::string>& services, bool yaml) {
  proto::Config config;
  config.name = written.name;
  config.directory = written.directory;
  config.format = written.format;
  config.files = written.files;
  config.warnings = written.warnings;
  config.model = nlohmann::json::parse(written.model);
  config.variables = shown(written.variables);
  auto& all = config.model["services"];
  std::set<std::string> profiles;
  nlohmann::json kept = nlohmann::json::object();
  for (const auto& [name, service] : all.items()) {
    if (service.is_object() && service.contains("profiles") && service["profiles"].is_array())
      for (const auto& profile : service["profiles"])
        if (profile.is_string()) profiles.insert(profile.get<std::string>());
    if (services.empty() || std::find(services.begin(), services.end(), name) != services.end())
      kept[name] = service;
  }
  all = std::move(kept);
  if (yaml && config.format == "compose")
    config.printed =
        compose::in_name_order(config.model).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  config.profiles.assign(profiles.begin(), profiles.end());
  return config;
}

// What a secret is made of is not told, here either.
std::map<std::string, std::string> shown_environment(const model::Spec& spec,
                                                     std::map<std::string, std::string> variables) {
  for (const auto& [name, secret] : spec.secrets)
    if (const auto found = variables.find(secret.environment); found != variables.end())
      found->second = "***";
  return variables;
}

// The text of a file that a message names; what cannot be read has no ends.
std::string text_of(const proto::UpRequest& request, const std::string& file) {
  if (file == "(standard input)") return request.input;
  const auto path = (std::filesystem::path(request.directory) / file).lexically_normal();
  const auto held = request.buffers.find(path.string());
  if (held != request.buffers.end()) return held->second;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return "";  // a pipe is read once
  try {
    return util::read_user_file(path);
  } catch (const util::Error&) {
    return "";
  }
}

awaitable<std::vector<proto::Finding>> placed(Parts& parts, proto::UpRequest request,
                                              std::vector<std::string> lines) {
  auto wish = std::make_shared<proto::UpRequest>(std::move(request));
  auto work = [wish, lines = std::move(lines)] {
    const auto text = [&](const std::string& file) { return text_of(*wish, file); };
    std::vector<proto::Finding> out;
    for (auto& one : stackfile::findings(lines, "error", text))
      out.push_back({one.file, one.line, one.column, one.end, one.severity, one.message, one.suggestion});
    return out;
  };
  return parts.user_files.run(work);
}

// C1.6: what an up would pull or build, pre_start's images too. Of each service, as Compose prints them.
std::vector<std::string> images_of(const model::Spec& spec) {
  std::vector<std::string> images;
  for (const auto& service : spec.services) {
    if (!service.container || service.provided) continue;
    std::vector<std::string> of_service{translate::image_of(spec, service)};
    for (const auto* hook : service.hooks_of(model::Phase::pre_start))
      if (std::find(of_service.begin(), of_service.end(), hook->image) == of_service.end())
        of_service.push_back(hook->image);
    std::copy_if(of_service.begin(), of_service.end(), std::back_inserter(images),
                 [](const std::string& image) { return !image.empty(); });
  }
  return images;
}

std::string condition_word(model::Condition condition) {
  switch (condition) {
    case model::Condition::started:
      return "service_started";
    case model::Condition::healthy:
      return "service_healthy";
    case model::Condition::completed_successfully:
      return "service_completed_successfully";
    case model::Condition::ready:
      return "ready";
  }
  return "";
}

// Each by the digest that its registry has now, its whole name before it; one that has a digest stays.
awaitable<nlohmann::json> with_digests(Parts& parts, std::map<std::string, std::string> caller,
                                       nlohmann::json model) {
  std::map<std::string, std::string> known;
  for (auto& [name, service] : model["services"].items()) {
    const auto image = service.is_object() ? service.find("image") : service.end();
    if (!service.is_object() || image == service.end() || !image->is_string()) continue;
    const auto full = translate::full_name(image->get<std::string>());
    if (full.find('@') == full.npos && !known.contains(full)) {
      images::Transfer wanted{.image = full, .caller = caller};
      known[full] = co_await parts.steps.transfers.digest(std::move(wanted));
    }
    *image = full.find('@') == full.npos ? full + "@" + known[full] : full;
  }
  co_return model;
}

// What Compose prints, with the images of `model`.
std::string with_images_of(const nlohmann::json& model, const std::string& printed) {
  auto document = nlohmann::ordered_json::parse(printed);
  for (auto& [name, service] : document["services"].items())
    if (service.contains("image")) service["image"] = model["services"][name]["image"].get<std::string>();
  return document.dump();
}

class GraphOf {
public:
  explicit GraphOf(const model::Spec& spec) : spec_(spec), order_(plan::comes_after(spec)) {
    graph_.name = spec.name;
    for (const auto& service : spec.services) add(service);
  }
  proto::Graph take() { return std::move(graph_); }

private:
  void add(const model::Service& service) {
    if (!added_.insert(service.name).second) return;
    proto::GraphNode node{service.name, model::to_string(service.kind), {}};
    for (const auto& name : order_.at(service.name)) {
      const auto* other = spec_.find(name);
      if (!other) continue;
      add(*other);
      proto::GraphEdge edge;
      edge.service = name;
      const auto declared = service.depends_on.find(name);
      edge.implied = declared == service.depends_on.end();
      edge.condition = condition_word(edge.implied ? model::Condition::started : declared->second.condition);
      if (!edge.implied) {
        edge.required = declared->second.required;
        edge.restart = declared->second.restart;
      }
      node.depends_on.push_back(std::move(edge));
    }
    graph_.services.push_back(std::move(node));
  }

  const model::Spec& spec_;
  plan::Order order_;
  proto::Graph graph_;
  std::set<std::string> added_;
};

}  // namespace

awaitable<proto::Config> Manager::config(proto::UpRequest request) {
  const auto options = request.config;
  if (options.no_interpolate || options.variables) {
    const auto services = request.services;
    auto written = co_await as_written(parts_, std::move(request));
    co_return config_of(std::move(written), services, options.yaml);
  }
  auto narrow = co_await narrowed(parts_, std::move(request));
  const auto& spec = narrow.spec;
  const auto id = resolve::stack_id(spec.name, spec.directory);
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  const auto row = co_await parts_.journal.run(query);
  // With what is known of the stack, so that the hashes are those of its containers.
  auto facts = row ? model::facts_from_json(nlohmann::json::parse(row->facts)) : model::Facts{};
  facts.stack_id = id;
  facts.caller = std::move(narrow.environment);
  facts.seen = std::move(narrow.seen);
  proto::Config config;
  config.name = spec.name;
  config.directory = spec.directory;
  config.format = spec.format;
  config.files = spec.files;
  config.warnings = spec.warnings;
  config.model = stackfile::stack_model(spec);
  if (spec.format == "compose") config.printed = stackfile::printed_model(spec, options.yaml);
  config.extensions = stackfile::nested_extensions(spec);
  config.images = images_of(spec);
  for (const auto& service : spec.services)
    if (service.container) config.hashes[service.name] = resolve::config_hash(spec, facts, service);
  config.profiles.assign(spec.known_profiles.begin(), spec.known_profiles.end());
  if (options.resolve_image_digests) {
    auto resolving = with_digests(parts_, facts.caller, config.model);
    config.model = co_await std::move(resolving);
    if (!config.printed.empty()) config.printed = with_images_of(config.model, config.printed);
  }
  if (options.environment) config.environment = shown_environment(spec, std::move(narrow.variables));
  co_return config;
}

awaitable<proto::Graph> Manager::graph(proto::UpRequest request) {
  const auto narrow = co_await narrowed(parts_, std::move(request));
  co_return GraphOf(narrow.spec).take();
}

awaitable<proto::Validation> Manager::validate(proto::UpRequest request) {
  proto::Validation result;
  std::vector<std::string> wrong;
  auto copy = request;  // its environment is taken
  try {
    const auto sources = co_await find_sources(parts_, load_request(copy));
    result.directory = sources.directory;
    result.format = sources.format;
    result.name = sources.name;
    result.files = sources.files;
    copy = request;
    const auto loaded = co_await load(parts_, load_request(copy));
    const auto& spec = loaded.spec;
    result.name = spec.name;
    result.warnings = spec.warnings;
    for (const auto& service : spec.services) result.services.push_back(service.name);
  } catch (const util::Error& e) {
    if (e.kind() != util::ErrorKind::invalid_file) throw;
    result.valid = false;
    wrong = e.details().empty() ? std::vector<std::string>{e.what()} : e.details();
  }
  if (!result.valid) result.errors = co_await placed(parts_, std::move(request), std::move(wrong));
  co_return result;
}

}  // namespace stackd::stacks
