// Compose's own keys, from a tree that is merged and interpolated already.
#include <algorithm>
#include <iterator>
#include <set>

#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr std::string_view k_own = "is stackd's own: write it under 'x-stackd', or name the file stackd.yaml";

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

// Compose's profiles, chosen by --profile, else by COMPOSE_PROFILES; without either the one without a name,
// as in Compose.
std::set<std::string> chosen_profiles(const ComposeContext& context) {
  std::set<std::string> chosen;
  add_words(chosen, context.decode.request.profile);
  const auto variable = context.variables.find("COMPOSE_PROFILES");
  if (chosen.empty() && variable != context.variables.end()) add_words(chosen, variable->second);
  if (chosen.empty()) chosen.insert("");
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

// Which services are to be: profiles decide it before anything else is read of a service, so that what only
// an inactive one says refuses nothing (C6.6).
class Selection {
public:
  Selection(const Value* services, const ComposeContext& context) : active_(chosen_profiles(context)) {
    if (!services) return;
    for (const Entry& entry : services->entries) profiles_[entry.key] = profiles_of(entry.value);
    // And those of every service that was asked for by name.
    for (const std::string& wanted : context.decode.request.services)
      if (const auto found = profiles_.find(wanted); found != profiles_.end())
        active_.insert(found->second.begin(), found->second.end());
  }

  std::set<std::string> known() const {
    std::set<std::string> names;
    for (const auto& [service, profiles] : profiles_) names.insert(profiles.begin(), profiles.end());
    return names;
  }

  bool has(const std::string& service) const {
    const auto& profiles = profiles_.at(service);
    return profiles.empty() || active_.count("*") != 0 ||
           std::any_of(profiles.begin(), profiles.end(),
                       [&](const std::string& profile) { return active_.count(profile) != 0; });
  }

  // A service that profiles leave out cannot be required by one that they don't.
  void check(const Spec& spec, Problems& problems) const {
    for (const Service& service : spec.services) {
      for (const auto& [name, dependency] : service.depends_on) {
        const auto other = profiles_.find(name);
        if (other == profiles_.end() || has(name) || !dependency.required) continue;
        problems.add(service.place, "service '" + service.name + "' needs '" + name +
                                        "', which starts only with profile " +
                                        util::join(other->second, " or ") + "; choose it with --profile");
      }
    }
  }

private:
  static std::vector<std::string> profiles_of(const Value& service) {
    Problems ignored;  // the decoder of an active one says them
    const Value* list = service.is_mapping() ? service.find("profiles") : nullptr;
    return list ? string_list(*list, "", ignored) : std::vector<std::string>{};
  }

  std::set<std::string> active_;
  std::map<std::string, std::vector<std::string>> profiles_;
};

void decode_services(Reader& top, ComposeContext& context, const Extension& extension, Spec& spec) {
  const Selection selection(top.get("services"), context);
  const Value* services = top.get("services");
  if (!services) return;
  if (!services->is_mapping()) {
    top.problem(services->place, "'services': expected a mapping of names");
    return;
  }
  for (const Entry& entry : services->entries) {
    if (!is_service_name(entry.key)) {
      top.problem(
          entry.place,
          "'" + entry.key + "' is not a service's name: letters, digits, '.', '_' and '-' are expected");
    }
    if (!selection.has(entry.key)) {
      spec.disabled.push_back(entry.key);
      continue;
    }
    Service service;
    service.name = entry.key;
    service.place = entry.place;
    decode_compose_service(entry.value, context, extension, spec, service);
    spec.services.push_back(std::move(service));
  }
  spec.known_profiles = selection.known();
  spec.profile = shown_profiles(chosen_profiles(context), spec);
  if (!context.decode.request.undone.consistency) selection.check(spec, context.decode.problems);
}

// What somebody else's program provides is there or not: nothing here can start it. The warning of 'provider'
// says so.
void leave_out_provided(Spec& spec) {
  std::set<std::string> provided;
  for (const Service& service : spec.services)
    if (service.provided) provided.insert(service.name);
  for (Service& service : spec.services)
    std::erase_if(service.depends_on, [&](const auto& entry) { return provided.count(entry.first) != 0; });
  std::erase_if(spec.services, [](const Service& service) { return service.provided; });
  spec.disabled.insert(spec.disabled.end(), provided.begin(), provided.end());
}

}  // namespace

bool is_service_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

void decode_compose(const Value& document, DecodeContext& context, const Extension& extension, Spec& spec) {
  ComposeContext compose{context, context.variables, spec.format == "stackd"};
  Reader top(document, "the file", context.problems);
  top.maybe_string("name");  // read before all else; here only that it is a text
  top.ignore({"version", "include", "models"});
  decode_resources(top, compose, spec);
  decode_services(top, compose, extension, spec);
  decode_top_extension(document, top, compose, extension, spec);
  top.finish();
  check_resources(compose, spec);
  if (!context.request.undone.consistency) check_models(document, spec, context.problems);
  if (context.request.to_run) leave_out_provided(spec);
}

}  // namespace stackd::stackfile
