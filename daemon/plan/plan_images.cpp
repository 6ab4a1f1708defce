#include <algorithm>
#include <set>

#include "daemon/plan/graph.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::plan {
namespace {

using model::Service;
using translate::image_of;

class ImagesGraph {
public:
  ImagesGraph(const model::Spec& spec, const Request& request)
      : spec_(spec), kind_(request.kind), wish_(request.wish) {
    for (const auto& name : wish_.services) choose(name);
    if (wish_.services.empty())
      for (const auto& service : spec.services) chosen_.push_back(&service);
  }

  Plan build() {
    for (const auto* service : chosen_) add(*service);
    return {.steps = graph_.take()};
  }

private:
  void choose(const std::string& name) {
    const auto* service = spec_.find(name);
    if (!service) {
      std::vector<std::string> known;
      for (const auto& one : spec_.services) known.push_back(one.name);
      const auto near = util::nearest(name, known);
      throw util::Error(util::ErrorKind::not_found, "there is no service '" + name + "'" +
                                                        (near ? "; did you mean '" + *near + "'?" : ""));
    }
    if (std::find(chosen_.begin(), chosen_.end(), service) != chosen_.end()) return;
    chosen_.push_back(service);
    if (!wish_.include_deps) return;
    for (const auto& [other, dependency] : service->depends_on)
      if (spec_.find(other)) choose(other);
  }

  void add(const Service& service) {
    if (!service.container) return;
    const bool builds = service.container->build.has_value();
    Keys built;
    if (kind_ == Kind::build && builds) built = add_build(service);
    // What is built here and has no name of its own is in no registry.
    if (service.container->image.empty()) return;
    if (kind_ == Kind::pull) add_pull(service, builds);
    if ((kind_ == Kind::push || wish_.push) && builds) add_push(service, built);
  }

  Keys add_build(const Service& service) {
    const auto image = image_of(spec_, service);
    auto& key = steps_[image];
    if (!key.empty()) return {key};
    Image params{.image = image, .build = true, .rebuild = wish_.rebuild, .pull_base = wish_.pull_base};
    params.args = wish_.build_args;
    params.ssh = wish_.ssh;
    params.all_platforms = true;
    const auto needs = built_before(service);
    steps_[image] = graph_.add("image " + image, service.name, params, needs);
    return {steps_[image]};
  }

  // Images of other services that this one's Dockerfile copies from.
  Keys built_before(const Service& service) {
    Keys needs;
    for (const auto& name : translate::services_built_on(*service.container->build))
      if (const auto* other = spec_.find(name); other && other->container && other->container->build)
        for (auto& key : add_build(*other)) needs.push_back(std::move(key));
    return needs;
  }

  void add_pull(const Service& service, bool builds) {
    const auto image = image_of(spec_, service);
    if (!steps_[image].empty()) return;
    Image params{.image = image, .pull = wish_.pull, .only_pull = true};
    // What can be built need not be anywhere yet.
    params.optional = wish_.ignore_failures || builds;
    steps_[image] = graph_.add("image " + image, service.name, params, {});
  }

  // Each name that the build gives it.
  void add_push(const Service& service, const Keys& needs) {
    auto names = service.container->build->tags;
    names.insert(names.begin(), image_of(spec_, service));
    for (const auto& image : names) {
      if (!pushed_.insert(image).second) continue;
      graph_.add("push " + image, service.name, Push{image, wish_.ignore_failures}, needs);
    }
  }

  const model::Spec& spec_;
  const Kind kind_;
  const Wish& wish_;
  std::vector<const Service*> chosen_;
  std::map<std::string, std::string> steps_;  // image -> key
  std::set<std::string> pushed_;
  Graph graph_;
};

}  // namespace

Plan plan_images(const model::Spec& spec, const Request& request) {
  return ImagesGraph(spec, request).build();
}

}  // namespace stackd::plan
