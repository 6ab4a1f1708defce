// Compose's own keys, from a tree that is merged and interpolated already.
#include <algorithm>
#include <iterator>
#include <set>

#include "daemon/stackfile/compose_parts.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr std::string_view k_own = "is stackd's own: write it under 'x-stackd', or name the file stackd.yaml";

bool is_service_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

void decode_services(Reader& top, ComposeContext& context, const Extension& extension, Spec& spec) {
  const Value* services = top.get("services");
  if (!services) return;
  if (!services->is_mapping()) {
    top.problem(services->place, "'services': expected a mapping of names");
    return;
  }
  for (const Entry& entry : services->entries) {
    if (entry.key.starts_with("x-")) continue;
    if (!is_service_name(entry.key)) {
      top.problem(
          entry.place,
          "'" + entry.key + "' is not a service's name: letters, digits, '.', '_' and '-' are expected");
    }
    Service service;
    service.name = entry.key;
    service.place = entry.place;
    decode_compose_service(entry.value, context, extension, spec, service);
    spec.services.push_back(std::move(service));
  }
}

void decode_top_extension(const Value& document, Reader& top, ComposeContext& context,
                          const Extension& extension, Spec& spec) {
  if (context.stackd) {
    if (extension.top) extension.top(top, spec);
    return;
  }
  top.refuse(
      {"lifecycle", "owned", "env", "env_files", "env_from", "env_groups", "commands", "runtime", "profiles"},
      k_own);
  const Value* own = document.find("x-stackd");
  if (!own || own->is_null() || !extension.top) return;
  Reader own_reader(*own, "'x-stackd'", context.decode.problems);
  extension.top(own_reader, spec);
  own_reader.finish();
}

void add_words(std::set<std::string>& out, const std::string& list) {
  for (const std::string& word : util::split(list, ',')) {
    const std::string name(util::trim(word));
    if (!name.empty()) out.insert(name);
  }
}

// Compose's profiles, chosen by COMPOSE_PROFILES and --profile.
std::set<std::string> chosen_profiles(const ComposeContext& context) {
  std::set<std::string> chosen;
  const auto variable = context.variables.find("COMPOSE_PROFILES");
  if (variable != context.variables.end()) add_words(chosen, variable->second);
  add_words(chosen, context.decode.request.profile);
  return chosen;
}

// What hooks are told: those of the chosen ones that the file has.
std::string shown_profiles(const std::set<std::string>& chosen, const Spec& spec) {
  std::set<std::string> known;
  for (const Service& service : spec.services) known.insert(service.profiles.begin(), service.profiles.end());
  std::vector<std::string> shown;
  std::set_intersection(chosen.begin(), chosen.end(), known.begin(), known.end(), std::back_inserter(shown));
  return util::join(shown, ",");
}

// And those of every service that was asked for by name.
std::set<std::string> active_profiles(std::set<std::string> active, const ComposeContext& context,
                                      const Spec& spec) {
  const auto& wanted = context.decode.request.services;
  for (const Service& service : spec.services) {
    if (std::find(wanted.begin(), wanted.end(), service.name) != wanted.end()) {
      active.insert(service.profiles.begin(), service.profiles.end());
    }
  }
  return active;
}

// C6.6: a service that profiles leave out cannot be required by one that they don't.
void drop_inactive(const ComposeContext& context, Spec& spec) {
  const auto chosen = chosen_profiles(context);
  spec.profile = shown_profiles(chosen, spec);
  const auto active = active_profiles(chosen, context, spec);
  const auto is_on = [&](const Service& service) {
    return service.profiles.empty() || active.count("*") != 0 ||
           std::any_of(service.profiles.begin(), service.profiles.end(),
                       [&](const std::string& profile) { return active.count(profile) != 0; });
  };
  for (const Service& service : spec.services) {
    if (!is_on(service)) continue;
    for (const auto& [name, dependency] : service.depends_on) {
      const Service* other = spec.find(name);
      if (!other || is_on(*other) || !dependency.required) continue;
      context.decode.problems.add(service.place, "service '" + service.name + "' needs '" + name +
                                                     "', which starts only with profile " +
                                                     util::join(other->profiles, " or ") +
                                                     "; choose it with --profile");
    }
  }
  for (const Service& service : spec.services) {
    if (!is_on(service)) spec.disabled.push_back(service.name);
  }
  std::erase_if(spec.services, [&](const Service& service) { return !is_on(service); });
}

}  // namespace

void decode_compose(const Value& document, DecodeContext& context, const Extension& extension, Spec& spec) {
  Problems reported_before;  // whoever loaded the tree read `.env` first
  FileVariables variables =
      compose_variables(context.directory, context.request.environment, reported_before);
  variables["COMPOSE_PROJECT_NAME"] = context.name;
  ComposeContext compose{context, variables, spec.format == "stackd"};
  Reader top(document, "the file", context.problems);
  top.ignore({"name", "version", "include"});
  top.refuse({"models"}, "is not supported yet");
  decode_resources(top, compose, spec);
  decode_services(top, compose, extension, spec);
  decode_top_extension(document, top, compose, extension, spec);
  top.finish();
  check_resources(compose, spec);
  drop_inactive(compose, spec);
}

}  // namespace stackd::stackfile
