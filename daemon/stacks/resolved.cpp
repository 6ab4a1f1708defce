// A stack file as it was understood: nothing here runs or stores anything.
#include <algorithm>
#include <set>

#include "daemon/spec/identity.hpp"
#include "daemon/spec/json.hpp"
#include "daemon/spec/stack_model.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/order.hpp"
#include "daemon/stacks/services.hpp"

namespace stackd::stacks {
namespace {

// The file, narrowed to the services that were asked for and what they depend on.
awaitable<spec::Spec> narrowed(Services& services, proto::UpRequest request) {
  auto spec = co_await load_spec(services, request);
  const auto chosen = selection(spec, request.services, true);
  std::erase_if(spec.services, [&](const spec::Service& s) { return !chosen.contains(s.name); });
  co_return spec;
}

// C1.6: what an up would pull or build, pre_start's images too.
std::vector<std::string> images_of(const spec::Spec& spec) {
  std::vector<std::string> images;
  const auto add = [&](const std::string& image) {
    if (!image.empty() && std::find(images.begin(), images.end(), image) == images.end())
      images.push_back(image);
  };
  for (const auto& service : spec.services) {
    if (!service.container) continue;
    add(image_of(spec, service));
    for (const auto* hook : service.hooks_of(spec::Phase::pre_start)) add(hook->image);
  }
  return images;
}

std::string condition_word(spec::Condition condition) {
  switch (condition) {
    case spec::Condition::started:
      return "service_started";
    case spec::Condition::healthy:
      return "service_healthy";
    case spec::Condition::completed_successfully:
      return "service_completed_successfully";
    case spec::Condition::ready:
      return "ready";
  }
  return "";
}

class GraphOf {
public:
  explicit GraphOf(const spec::Spec& spec) : spec_(spec), order_(comes_after(spec)) {
    graph_.name = spec.name;
    for (const auto& service : spec.services) add(service);
  }
  proto::Graph take() { return std::move(graph_); }

private:
  void add(const spec::Service& service) {
    if (!added_.insert(service.name).second) return;
    proto::GraphNode node{service.name, spec::to_string(service.kind), {}};
    for (const auto& name : order_.at(service.name)) {
      const auto* other = spec_.find(name);
      if (!other) continue;
      add(*other);
      proto::GraphEdge edge;
      edge.service = name;
      const auto declared = service.depends_on.find(name);
      edge.implied = declared == service.depends_on.end();
      edge.condition = condition_word(edge.implied ? spec::Condition::started : declared->second.condition);
      if (!edge.implied) {
        edge.required = declared->second.required;
        edge.restart = declared->second.restart;
      }
      node.depends_on.push_back(std::move(edge));
    }
    graph_.services.push_back(std::move(node));
  }

  const spec::Spec& spec_;
  Order order_;
  proto::Graph graph_;
  std::set<std::string> added_;
};

}  // namespace

awaitable<proto::Config> Manager::config(proto::UpRequest request) {
  const auto spec = co_await narrowed(services_, request);
  const auto id = spec::stack_id(spec.name, spec.directory);
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  const auto row = co_await services_.journal.run(query);
  // With what is known of the stack, so that the hashes are those of its containers.
  auto facts = row ? spec::facts_from_json(nlohmann::json::parse(row->facts)) : spec::Facts{};
  facts.stack_id = id;
  facts.caller = request.environment;
  proto::Config config;
  config.name = spec.name;
  config.directory = spec.directory;
  config.format = spec.format;
  config.files = spec.files;
  config.warnings = spec.warnings;
  config.model = spec::stack_model(spec);
  config.images = images_of(spec);
  for (const auto& service : spec.services)
    if (service.container) config.hashes[service.name] = spec::config_hash(spec, facts, service);
  co_return config;
}

awaitable<proto::Graph> Manager::graph(proto::UpRequest request) {
  const auto spec = co_await narrowed(services_, request);
  co_return GraphOf(spec).take();
}

}  // namespace stackd::stacks
