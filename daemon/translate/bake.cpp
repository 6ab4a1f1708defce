#include "daemon/translate/bake.hpp"

#include <algorithm>
#include <filesystem>

#include "daemon/translate/build_request.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/util/text.hpp"

namespace stackd::translate {
namespace {

using model::Build;
using nlohmann::json;

constexpr std::string_view k_service = "service:";

template <class Value>
void put(json& into, const char* key, const Value& value) {
  if (!value.empty()) into[key] = value;
}

std::string dockerfile_of(const Build& build) {
  const auto name = build.dockerfile.empty() ? std::string("Dockerfile") : build.dockerfile;
  if (is_remote(build.context)) return name;
  return (std::filesystem::path(build.context) / name).lexically_normal().string();
}

json contexts_of(const Build& build) {
  json contexts = json::object();
  for (const auto& [name, place] : build.additional_contexts)
    contexts[name] = place.starts_with(k_service) ? "target:" + place.substr(k_service.size()) : place;
  return contexts;
}

std::vector<std::string> secrets_of(const model::Spec& spec, const Build& build) {
  std::vector<std::string> texts;
  for (const auto& grant : build.secrets) {
    const auto found = spec.secrets.find(grant.source);
    if (found == spec.secrets.end()) continue;
    const auto& secret = found->second;
    texts.push_back("id=" + grant.id +
                    (secret.environment.empty() ? ",type=file,src=" + secret.file
                                                : ",type=env,env=" + secret.environment));
  }
  return texts;
}

std::vector<std::string> agents_of(const Build& build, const BakeWish& wish) {
  auto agents = build.ssh;
  for (const auto& [id, path] : wish.ssh) agents[id] = path;
  std::vector<std::string> texts;
  for (const auto& [id, path] : agents) texts.push_back(id + "=" + path);
  return texts;
}

std::vector<std::string> limits_of(const Build& build) {
  std::vector<std::string> texts;
  for (const auto& limit : build.ulimits)
    texts.push_back(limit.name + "=" + std::to_string(limit.soft) +
                    (limit.hard == limit.soft ? "" : ":" + std::to_string(limit.hard)));
  return texts;
}

json hosts_of(const Build& build) {
  json hosts = json::object();
  for (const auto& entry : build.extra_hosts)
    if (const auto at = entry.find_first_of(":="); at != entry.npos)
      hosts[entry.substr(0, at)] = entry.substr(at + 1);
  return hosts;
}

std::string output_of(const Build& build, bool push) {
  if (push) return "type=registry";
  return build.platforms.size() > 1 ? "type=image,push=false" : "type=docker";
}

json target_of(const model::Stack& stack, const model::Service& service, const BakeWish& wish) {
  const auto& build = *service.container->build;
  json target{{"context", build.context}};
  put(target, "contexts", contexts_of(build));
  if (build.dockerfile_inline.empty())
    target["dockerfile"] = dockerfile_of(build);
  else
    target["dockerfile-inline"] = build.dockerfile_inline;
  auto args = build_args(stack, build);
  for (const auto& [name, value] : wish.args) args[name] = value;
  put(target, "args", args);
  target["labels"] = build_labels(stack, service);
  auto tags = build.tags;
  tags.push_back(image_of(*stack.spec, service));
  target["tags"] = tags;
  put(target, "cache-from", build.cache_from);
  put(target, "cache-to", build.cache_to);
  put(target, "target", build.target);
  put(target, "secret", secrets_of(*stack.spec, build));
  put(target, "ssh", agents_of(build, wish));
  put(target, "platforms", build.platforms);
  if (build.pull || wish.pull) target["pull"] = true;
  if (build.no_cache || wish.no_cache) target["no-cache"] = true;
  put(target, "network", build.network);
  put(target, "shm-size", build.shm_size);
  put(target, "ulimits", limits_of(build));
  put(target, "entitlements", entitlements_of(build));
  put(target, "extra-hosts", hosts_of(build));
  target["output"] = {output_of(build, wish.push)};
  put(target, "attest", attestations_of(build));
  return target;
}

class Bake {
public:
  Bake(const model::Stack& stack, const BakeWish& wish) : stack_(stack), wish_(wish) {
    for (const auto& service : stack.spec->services)
      if (wish.services.empty() ||
          std::find(wish.services.begin(), wish.services.end(), service.name) != wish.services.end())
        add(service);
  }
  json take() {
    return {{"group", {{"default", {{"targets", std::move(order_)}}}}}, {"target", std::move(targets_)}};
  }

private:
  void add(const model::Service& service) {
    if (!service.container || !service.container->build || targets_.contains(service.name)) return;
    targets_[service.name] = target_of(stack_, service, wish_);
    for (const auto& name : services_built_on(*service.container->build))
      if (const auto* other = stack_.spec->find(name)) add(*other);
    order_.push_back(service.name);
  }
  const model::Stack& stack_;
  const BakeWish& wish_;
  json order_ = json::array(), targets_ = json::object();
};

}  // namespace

json bake_file(const model::Stack& stack, const BakeWish& wish) {
  return Bake(stack, wish).take();
}

}  // namespace stackd::translate
