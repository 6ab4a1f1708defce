// L8: profiles as a map. One is picked; with what it extends it narrows the services and adds env and hooks.
#include <algorithm>
#include <set>

#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

struct Profile {
  Place place, extends_place;
  std::vector<std::string> extends, services, owned;
  bool narrows = false;  // it has a list of services or owned
  bool is_default = false;
  EnvLayer env;
  std::vector<Hook> hooks;
};

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class Profiles {
public:
  Profiles(const Value& value, DecodeContext& context, Spec& spec)
      : value_(value), context_(context), problems_(context.problems), spec_(spec) {}

  void apply() {
    if (!value_.is_mapping()) {
      problems_.add(value_.place, "'profiles': expected a mapping of names");
      return;
    }
    for (const Entry& entry : value_.entries) {
      if (entry.key.starts_with("x-")) continue;
      names_.push_back(entry.key);
      profiles_[entry.key] = decode(entry);
    }
    for (const std::string& name : names_) check_parents(name);
    check_defaults();
    if (broken_) return;
    const std::string chosen = choose();
    if (!chosen.empty()) put(chosen);
  }

private:
  Profile decode(const Entry& entry) {
    Reader reader(entry.value, "profile '" + entry.key + "'", problems_);
    Profile profile;
    profile.place = entry.place;
    profile.extends = reader.strings("extends");
    if (const Value* extends = reader.get("extends")) profile.extends_place = extends->place;
    profile.narrows = reader.has("services") || reader.has("owned");
    profile.services = names(reader, "services", false);
    profile.owned = names(reader, "owned", true);
    profile.is_default = reader.boolean("default");
    profile.env = decode_env_layer(reader, context_, false);  // L6.4: no look at the main worktree
    if (const Value* lifecycle = reader.get("lifecycle"))
      decode_lifecycle(*lifecycle, "", context_, profile.hooks);
    reader.finish();
    return profile;
  }

  // L8.4: a discovered parent stands for its instances.
  std::vector<std::string> names(Reader& reader, std::string_view key, bool owned) {
    std::vector<std::string> out;
    const Value* list = reader.get(key);
    if (!list) return out;
    for (const Value& item : list->is_sequence() ? list->items : std::vector{*list}) {
      const auto name = scalar(item, reader.what() + ", '" + std::string(key) + "'", problems_);
      if (!name) continue;
      const auto discovered = context_.discovered.find(*name);
      if (owned && discovered != context_.discovered.end()) {
        out.insert(out.end(), discovered->second.begin(), discovered->second.end());
        continue;
      }
      check_service(*name, owned, item.place, reader.what());
      out.push_back(*name);
    }
    return out;
  }

  void check_service(const std::string& name, bool owned, const Place& place, const std::string& what) {
    const Service* service = spec_.find(name);
    if (service ? service->owned == owned : contains(spec_.disabled, name)) return;
    if (service) {
      problems_.add(place,
                    what + ": '" + name + "' belongs in the list '" + (owned ? "services" : "owned") + "'");
      return;
    }
    std::vector<std::string> known;
    for (const Service& other : spec_.services) {
      if (other.owned == owned) known.push_back(other.name);
    }
    problems_.add(place, what + ": there is no " + (owned ? "owned service" : "service") + " '" + name + "'" +
                             resolve::hint(name, known));
  }

  void check_parents(const std::string& name) {
    const Profile& profile = profiles_.at(name);
    for (const std::string& parent : profile.extends) {
      if (profiles_.contains(parent)) continue;
      problems_.add(profile.extends_place, "profile '" + name + "' extends '" + parent +
                                               "', which does not exist" + resolve::hint(parent, names_));
      broken_ = true;
    }
    std::vector<std::string> walk{name};
    if (find_cycle(name, walk)) {
      broken_ = true;
      problems_.add(profile.extends_place,
                    "profiles extend each other in a cycle: " + util::join(walk, " -> "));
    }
  }

  // Whether the walk comes back to where it began. Cycles that it only runs into are found from their own
  // members.
  bool find_cycle(const std::string& start, std::vector<std::string>& walk) const {
    const auto profile = profiles_.find(walk.back());
    if (profile == profiles_.end()) return false;
    for (const std::string& parent : profile->second.extends) {
      const bool known = contains(walk, parent);
      if (known && parent != start) continue;
      walk.push_back(parent);
      if (parent == start || find_cycle(start, walk)) return true;
      walk.pop_back();
    }
    return false;
  }

  void check_defaults() {
    std::string first;
    for (const std::string& name : names_) {
      if (!profiles_.at(name).is_default) continue;
      if (!first.empty()) {
        problems_.add(profiles_.at(name).place,
                      "profile '" + name + "' has 'default: true', and so has '" + first + "': only one can");
        broken_ = true;
      }
      if (first.empty()) first = name;
    }
  }

  // L8.1. A name that is no profile here may be one of Compose's, in a file that has both.
  std::string choose() {
    const std::string& wanted = context_.request.profile;
    if (profiles_.contains(wanted)) return wanted;
    std::vector<std::string> chosen;
    for (const std::string& word : util::split(wanted, ',')) {
      const std::string name(util::trim(word));
      if (name.empty() || name == "*") continue;
      if (profiles_.contains(name)) {
        chosen.push_back(name);
      } else if (!is_compose_profile(name)) {
        problems_.add(value_.place, "there is no profile '" + name + "'" + resolve::hint(name, names_));
        return "";
      }
    }
    if (chosen.size() > 1) {
      problems_.add(value_.place, "only one profile can be chosen, found " + util::join(chosen, " and "));
      return "";
    }
    if (chosen.size() == 1) return chosen.front();
    if (names_.empty()) return "";
    for (const std::string& name : names_) {
      if (profiles_.at(name).is_default) return name;
    }
    if (names_.size() == 1) return names_.front();
    problems_.add(value_.place, "no profile has 'default: true': choose one with --profile (" +
                                    util::join(names_, ", ") + ")");
    return "";
  }

  bool is_compose_profile(const std::string& name) const {
    return std::any_of(spec_.services.begin(), spec_.services.end(),
                       [&](const Service& service) { return contains(service.profiles, name); });
  }

  // The profile and what it extends, each once: parents before children, or children before parents.
  void collect(const std::string& name, bool parents_first, std::vector<std::string>& out,
               std::set<std::string>& seen) const {
    if (!seen.insert(name).second) return;
    if (!parents_first) out.push_back(name);
    for (const std::string& parent : profiles_.at(name).extends) collect(parent, parents_first, out, seen);
    if (parents_first) out.push_back(name);
  }

  std::vector<std::string> chain(const std::string& name, bool parents_first) const {
    std::vector<std::string> out;
    std::set<std::string> seen;
    collect(name, parents_first, out, seen);
    return out;
  }

  void put(const std::string& name) {
    spec_.profile = name;
    const auto up = chain(name, true);
    bool narrows = false;
    std::set<std::string> kept;
    for (const std::string& one : up) {
      const Profile& profile = profiles_.at(one);
      narrows = narrows || profile.narrows;
      kept.insert(profile.services.begin(), profile.services.end());
      kept.insert(profile.owned.begin(), profile.owned.end());
      add_env(profile.env);
    }
    put_hooks(up, chain(name, false));
    if (narrows) narrow(kept);
  }

  void add_env(const EnvLayer& layer) {
    EnvLayer& into = spec_.profile_env;
    into.from.insert(into.from.end(), layer.from.begin(), layer.from.end());
    for (const auto& [name, value] : layer.file_env) into.file_env.insert_or_assign(name, value);
    for (const auto& [name, value] : layer.env) into.env.insert_or_assign(name, value);
  }

  // L8.2, L8.3: on the way up the file's own come first, on the way down last.
  void put_hooks(const std::vector<std::string>& up, const std::vector<std::string>& down) {
    const std::vector<Hook> own = std::move(spec_.hooks);
    spec_.hooks.clear();
    for (const Phase phase : phases_of(Scope::stack, Vocabulary::lich)) {
      const bool rising = row_of(phase).direction == Direction::up;
      if (rising) append(own, phase);
      for (const std::string& name : rising ? up : down) append(profiles_.at(name).hooks, phase);
      if (!rising) append(own, phase);
    }
  }

  void append(const std::vector<Hook>& hooks, Phase phase) {
    int index = 0;
    int group = 0;
    for (const Hook& hook : spec_.hooks) {
      if (hook.phase != phase) continue;
      ++index;
      group = std::max(group, hook.group + 1);
    }
    for (Hook hook : hooks) {
      if (hook.phase != phase) continue;
      hook.index = index++;
      if (hook.group >= 0) hook.group += group;
      spec_.hooks.push_back(std::move(hook));
    }
  }

  void narrow(const std::set<std::string>& kept) {
    for (const Service& service : spec_.services) {
      if (!kept.contains(service.name)) spec_.disabled.push_back(service.name);
    }
    std::erase_if(spec_.services, [&](const Service& service) { return !kept.contains(service.name); });
  }

  const Value& value_;
  DecodeContext& context_;
  Problems& problems_;
  Spec& spec_;
  std::vector<std::string> names_;  // in file order
  std::map<std::string, Profile> profiles_;
  bool broken_ = false;
};

}  // namespace

void apply_profiles(const Value& profiles, DecodeContext& context, Spec& spec) {
  Profiles(profiles, context, spec).apply();
}

}  // namespace stackd::stackfile
