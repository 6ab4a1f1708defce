#include "daemon/translate/build_request.hpp"

#include <algorithm>
#include <filesystem>

#include "daemon/resolve/references.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/text.hpp"

namespace stackd::translate {
namespace {

using Attributes = std::map<std::string, std::string>;
using model::Build;
using std::filesystem::path;

// "type=registry,ref=x" -> its parts; "x" is a registry's.
std::vector<Attributes> caches(const std::vector<std::string>& texts) {
  std::vector<Attributes> found;
  for (const auto& text : texts) {
    Attributes attributes;
    for (const auto& part : util::split(text, ','))
      if (const auto equals = part.find('='); equals != part.npos)
        attributes[part.substr(0, equals)] = part.substr(equals + 1);
    if (!attributes.contains("type")) attributes = {{"type", "registry"}, {"ref", text}};
    found.push_back(std::move(attributes));
  }
  return found;
}

// "host:address" or "host=address" -> "host=address"
std::string hosts(const std::vector<std::string>& entries) {
  std::vector<std::string> list;
  for (auto entry : entries) {
    if (const auto at = entry.find_first_of(":="); at != entry.npos) entry[at] = '=';
    list.push_back(std::move(entry));
  }
  return util::join(list, ",");
}

std::string limits(const std::vector<model::Ulimit>& entries) {
  std::vector<std::string> list;
  for (const auto& limit : entries)
    list.push_back(limit.name + "=" + std::to_string(limit.soft) + ":" + std::to_string(limit.hard));
  return util::join(list, ",");
}

void add_context(const Build& build, images::BuildRequest& request) {
  if (is_remote(build.context))
    request.attributes["context"] = build.context;
  else
    request.directories["context"] = build.context;
  auto& name = request.attributes["filename"];
  name = build.dockerfile.empty() ? "Dockerfile" : build.dockerfile;
  if (!build.dockerfile_inline.empty()) {
    name = "Dockerfile";
    request.texts["dockerfile"]["Dockerfile"] = build.dockerfile_inline;
    // What an address has to say of its Dockerfile is not asked for.
    if (is_remote(build.context)) request.attributes["dockerfilekey"] = "dockerfile";
  } else if (!is_remote(build.context)) {
    // The builder sees the Dockerfile's directory; what lies outside the context too.
    const auto file = (path(build.context) / name).lexically_normal();
    request.directories["dockerfile"] = file.parent_path().string();
    name = file.filename().string();
  }
}

void add_contexts(const model::Stack& stack, const Build& build, images::BuildRequest& request) {
  constexpr std::string_view k_service = "service:";
  for (const auto& [name, place] : build.additional_contexts) {
    auto& attribute = request.attributes["context:" + name];
    if (place.starts_with(k_service)) {
      const auto* other = stack.spec->find(place.substr(k_service.size()));
      attribute = "docker-image://" + full_name(other ? image_of(*stack.spec, *other) : place);
    } else if (is_remote(place)) {
      attribute = place;
    } else {
      attribute = "local:" + name;
      request.directories[name] = place;
    }
  }
}

void add_secrets(const model::Stack& stack, const Build& build, const BuildWish& wish,
                 images::BuildRequest& request, std::map<std::string, std::string>& environment) {
  for (const auto& grant : build.secrets) {
    const auto found = stack.spec->secrets.find(grant.source);
    if (found == stack.spec->secrets.end()) continue;  // the file was checked
    const auto& secret = found->second;
    images::BuildSecret told{grant.id, secret.file, secret.environment};
    if (secret.file.empty() && secret.environment.empty()) {
      told.variable = "STACKD_SECRET_" + std::to_string(request.secrets.size());
      environment[told.variable] = secret.content;
    }
    request.secrets.push_back(std::move(told));
  }
  auto agents = build.ssh;
  for (const auto& [id, path] : wish.ssh) agents[id] = path;
  for (const auto& [id, path] : agents) {
    images::BuildAgent agent{id, {}};
    const auto own = stack.facts->caller.find("SSH_AUTH_SOCK");
    if (!path.empty())
      agent.paths = util::split(path, ',');
    else if (own != stack.facts->caller.end() && !own->second.empty())
      agent.paths = {own->second};
    request.agents.push_back(std::move(agent));
  }
}

// A service runs on one of them: its own, else the engine's when that is among them.
std::string platforms_of(const model::Service& service, const BuildWish& wish) {
  const auto& all = service.container->build->platforms;
  if (wish.all_platforms && all.size() > 1) return util::join(all, ",");
  if (!service.container->platform.empty() || all.empty()) return service.container->platform;
  return std::find(all.begin(), all.end(), wish.platform) != all.end() ? wish.platform : all.front();
}

}  // namespace

bool is_remote(const std::string& place) {
  return place.find("://") != place.npos || place.starts_with("git@");
}

std::vector<std::string> entitlements_of(const Build& build) {
  auto names = build.entitlements;
  if (build.network == "host") names.emplace_back("network.host");
  if (build.privileged) names.emplace_back("security.insecure");
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> attestations_of(const Build& build) {
  std::vector<std::string> texts;
  const auto add = [&texts](const std::string& type, const std::string& value) {
    if (value.empty() || value == "false") return;
    texts.push_back("type=" + type + (value == "true" ? "" : "," + value));
  };
  add("provenance", build.provenance);
  add("sbom", build.sbom);
  return texts;
}

std::string full_name(const std::string& reference) {
  auto name = reference;
  const auto slash = name.find('/');
  const auto first = name.substr(0, slash == name.npos ? 0 : slash);
  const bool has_host = first == "localhost" || first.find_first_of(".:") != first.npos;
  if (!has_host) name = (slash == name.npos ? "docker.io/library/" : "docker.io/") + name;
  const auto last = name.substr(name.rfind('/') + 1);
  return last.find_first_of(":@") == last.npos ? name + ":latest" : name;
}

std::map<std::string, std::string> build_args(const model::Stack& stack, const Build& build) {
  std::map<std::string, std::string> args;
  for (const auto& [name, value] : build.args) {
    if (value) {
      args[name] = resolve::resolved(*value, resolve::Strictness::shell, *stack.spec, *stack.facts);
    } else if (const auto caller = stack.facts->caller.find(name); caller != stack.facts->caller.end()) {
      args[name] = caller->second;
    }
  }
  return args;
}

std::map<std::string, std::string> build_labels(const model::Stack& stack, const model::Service& service) {
  auto labels = service.container->build->labels;
  labels[label::k_project] = stack.spec->name;
  labels[label::k_service] = service.name;
  labels[label::k_stack] = stack.id;
  return labels;
}

images::BuildRequest build_request(const model::Stack& stack, const model::Service& service,
                                   const BuildWish& wish, std::map<std::string, std::string>& environment) {
  const auto& build = *service.container->build;
  images::BuildRequest request;
  request.image = wish.image;
  request.tags.push_back(full_name(wish.image));
  for (const auto& tag : build.tags) request.tags.push_back(full_name(tag));
  auto& attributes = request.attributes;
  const auto put = [&attributes](const char* key, const std::string& value) {
    if (!value.empty()) attributes[key] = value;
  };
  add_context(build, request);
  add_contexts(stack, build, request);
  add_secrets(stack, build, wish, request, environment);
  for (const auto& [name, value] : wish.more_args) attributes["build-arg:" + name] = value;
  for (const auto& [name, value] : build_args(stack, build)) attributes["build-arg:" + name] = value;
  for (const auto& [name, value] : wish.args) attributes["build-arg:" + name] = value;
  for (const auto& [name, value] : build_labels(stack, service)) attributes["label:" + name] = value;
  put("target", build.target);
  put("platform", platforms_of(service, wish));
  put("add-hosts", hosts(build.extra_hosts));
  put("shm-size", build.shm_size);
  put("ulimit", limits(build.ulimits));
  if (build.network == "host" || build.network == "none") put("force-network-mode", build.network);
  if (build.no_cache || wish.no_cache) attributes["no-cache"] = "";
  if (build.pull || wish.pull) attributes["image-resolve-mode"] = "pull";
  request.entitlements = entitlements_of(build);
  for (const auto& text : attestations_of(build)) {
    // "type=sbom,generator=x": by its type, the rest is the value.
    const auto type = text.substr(5, text.find(',') - 5);
    attributes["attest:" + type] = text.size() > 5 + type.size() ? text.substr(6 + type.size()) : "";
  }
  request.cache_from = caches(build.cache_from);
  request.cache_to = caches(build.cache_to);
  const auto inline_cache = attributes.find("build-arg:BUILDKIT_INLINE_CACHE");
  if (inline_cache != attributes.end() && inline_cache->second == "1")
    request.cache_to.push_back({{"type", "inline"}});
  return request;
}

BuildLimits build_limits(const Build& build, const std::string& api) {
  BuildLimits found;
  // 1.42 is engine 23.0; all that are older and still spoken to are 1.41.
  if (api != "1.41") return found;
  if (!build.additional_contexts.empty()) found.refused.emplace_back("additional_contexts");
  if (!build.shm_size.empty()) found.ignored.emplace_back("shm_size");
  if (!build.ulimits.empty()) found.ignored.emplace_back("ulimits");
  return found;
}

std::vector<std::string> containerd_keys(const Build& build, bool all_platforms) {
  std::vector<std::string> keys;
  if (all_platforms && build.platforms.size() > 1) keys.emplace_back("platforms");
  if (!build.provenance.empty() && build.provenance != "false") keys.emplace_back("provenance");
  if (!build.sbom.empty() && build.sbom != "false") keys.emplace_back("sbom");
  const auto to = caches(build.cache_to);
  if (std::any_of(to.begin(), to.end(), [](const auto& one) { return one.at("type") != "inline"; }))
    keys.emplace_back("cache_to");
  return keys;
}

std::vector<std::string> buildkit_keys(const Build& build) {
  std::vector<std::string> keys;
  if (!build.secrets.empty()) keys.emplace_back("secrets");
  if (!build.ssh.empty()) keys.emplace_back("ssh");
  if (!build.additional_contexts.empty()) keys.emplace_back("additional_contexts");
  return keys;
}

}  // namespace stackd::translate
