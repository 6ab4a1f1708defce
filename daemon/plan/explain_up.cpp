#include "daemon/plan/explain.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/plan/reasons.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/images.hpp"

namespace stackd::plan {
namespace {

using model::Phase;
using operations::StepPlan;
using What = Verdict::What;

const char* word_of(What what) {
  switch (what) {
    case What::create:
      return "create";
    case What::recreate:
      return "recreate";
    case What::start:
      return "start";
    case What::restart:
      return "restart";
    case What::leave:
      break;
  }
  return "skip";
}

// An up's graph, step by step: what each would find, and so what it would do.
class UpWords {
public:
  UpWords(const model::Stack& now, const model::Stack* before, const Request& request, const UpChoice& choice,
          const Snapshot& seen)
      : now_(now), request_(request), choice_(choice), seen_(seen), reasons_(now, before, choice, seen) {
    for (const auto& service : now.spec->services) {
      if (!choice.selected.contains(service.name)) continue;
      if (!service.container) {
        processes_[service.name] = reasons_.of_process(service);
        continue;
      }
      const auto scale = choice.scale.find(service.name);
      for (int n = 1; n <= (scale == choice.scale.end() ? 1 : scale->second); ++n)
        replicas_[replica(service.name, n)] = {service.name, reasons_.of_replica(service, n)};
    }
  }

  void read_step(const StepPlan& step) {
    if (const auto image = read<Image>(step)) look_at_image(step, *image);
    if (const auto derive = read<Derive>(step)) look_at_layers(step, *derive);
    if (const auto network = read<Network>(step)) look_at_network(network->key);
    if (const auto volume = read<Volume>(step)) look_at_volume(volume->key);
    if (read<Create>(step)) look_at_replica(step);
    if (read<StartProcess>(step)) add_verdict(step.service, step.service, processes_.at(step.service));
    if (read<Remove>(step)) look_at_remove(step, "remove ");
    // X34: what is kept goes after the up has worked; for who asks it goes.
    if (const auto stop = read<Stop>(step); stop && stop->aside) look_at_remove(step, "stop ");
    if (read<StopProcess>(step) && choice_.orphans.contains(step.service))
      add({"remove", step.service, step.service, "the stack file does not have it (any more)", {}, {}});
    if (const auto hook = read<Hook>(step)) look_at_hook(step, *hook);
    if (const auto hook = read<PreRun>(step)) look_at_pre_run(step, *hook);
  }

  // What `once` and `changed` hold back is said, whether or not there is anything else to do.
  void say_what_is_skipped() {
    for (const auto& one : seen_.hooks) {
      if (model::row_of(one.phase).direction != model::Direction::up || one.skip.empty()) continue;
      if (one.service.empty() ? !choice_.stack_hooks : !choice_.selected.contains(one.service)) continue;
      const auto subject = label(one.service, one.phase, one.index);
      if (!said_.contains(subject)) add({"skip", subject, one.service, one.skip, {}, {}});
    }
  }

  std::vector<Action> take() {
    for (auto& action : actions_) {
      if (action.what == "recreate" && action.subject.starts_with("network "))
        take_along_network(action);
      else if (action.what == "recreate" || action.what == "restart" || action.what == "create")
        take_along(action);
    }
    return std::move(actions_);
  }

private:
  static std::string label(const std::string& service, Phase phase, int index) {
    model::Hook hook;
    hook.service = service;
    hook.phase = phase;
    hook.index = index;
    return resolve::label_of(hook);
  }
  void add(Action action) {
    said_.insert(action.subject);
    actions_.push_back(std::move(action));
  }
  void add_verdict(const std::string& subject, const std::string& service, const Verdict& verdict) {
    if (verdict.what != What::leave)
      add({word_of(verdict.what), subject, service, verdict.reason, verdict.changes, {}});
  }
  const model::Service* service(const std::string& name) const { return now_.spec->find(name); }

  void look_at_image(const StepPlan& step, const Image& params) {
    const auto* own = service(step.service);
    const auto found = seen_.images.find(params.image);
    const bool known = found != seen_.images.end();
    const bool here = known && found->second;
    const bool builds = own && own->container && own->container->build && !params.only_pull;
    const auto& policy =
        params.pull.empty() && own && own->container ? own->container->pull_policy : params.pull;
    const auto subject = "image " + params.image;
    if (builds && (params.build || params.rebuild || policy == "build")) {
      const char* why = params.rebuild ? "--rebuild" : params.build ? "--build" : "its pull policy is build";
      add({"build", subject, step.service, why, {}, {}});
    } else if (known && !here) {
      add({builds && policy != "always" ? "build" : "pull", subject, step.service, "it is not here", {}, {}});
    } else if (policy == "always" && !builds) {
      add({"pull", subject, step.service, "its pull policy is always", {}, {}});
    }
  }

  void look_at_layers(const StepPlan& step, const Derive& params) {
    const auto* own = service(step.service);
    if (!own) return;
    const bool here = made_from(now_, *own, seen_) != nullptr;
    if (here && !params.rebuild) return;
    add({"build",
         "image of " + step.service + " with its build hooks",
         step.service,
         here ? "--rebuild" : "its image or its build hooks are others than the last ones that were built",
         {},
         {}});
  }

  void look_at_network(const std::string& key) {
    const auto& wanted = now_.spec->networks.at(key);
    if (wanted.external || seen_.others.contains(wanted.name)) return;
    if (choice_.changed_networks.contains(key)) {
      auto changes = reasons_.of_network(key);
      auto reason = changed_text(changes);
      add({"recreate", "network " + key, "", std::move(reason), std::move(changes), {}});
    } else if (const auto made = seen_.networks.find(key);
               made == seen_.networks.end() || made->second.name != wanted.name) {
      add({"create", "network " + key, "", "it is not there", {}, {}});
    }
  }

  void look_at_volume(const std::string& key) {
    const auto& wanted = now_.spec->volumes.at(key);
    const auto made = seen_.volumes.find(key);
    if (!wanted.external && !seen_.others.contains(wanted.name) &&
        (made == seen_.volumes.end() || made->second.name != wanted.name))
      add({"create", "volume " + key, "", "it is not there", {}, {}});
  }

  void look_at_replica(const StepPlan& step) {
    const auto name = step.key.substr(std::string_view("create ").size());
    const auto& [service, verdict] = replicas_.at(name);
    add_verdict(seen_scale(service) == 1 ? service : name, service, verdict);
  }
  int seen_scale(const std::string& service) const {
    const auto scale = choice_.scale.find(service);
    return scale == choice_.scale.end() ? 1 : scale->second;
  }

  void look_at_remove(const StepPlan& step, const std::string& verb) {
    const auto surplus = choice_.surplus.find(step.service);
    const auto* own = service(step.service);
    if (!step.key.starts_with(verb + step.service + "-") || surplus == choice_.surplus.end()) {
      add({"remove",
           step.key.substr(verb.size()),
           step.service,
           "it was kept to show why an earlier pre_start failed",
           {},
           {}});
      return;
    }
    const bool fewer = own && own->container;
    add({"remove",
         step.key.substr(verb.size()),
         step.service,
         fewer ? "the scale is " + std::to_string(seen_scale(step.service))
               : "the stack file does not have it (any more)",
         {},
         {}});
  }

  // ---- hooks

  bool starts(const std::string& service) const {
    if (const auto process = processes_.find(service); process != processes_.end())
      return process->second.what != What::leave;
    return std::any_of(replicas_.begin(), replicas_.end(), [&](const auto& one) {
      return one.second.first == service && one.second.second.what != What::leave;
    });
  }
  bool engine_restarted(const std::string& service) const { return choice_.restarted.contains(service); }
  bool failed_before(const model::Hook& hook) const {
    return std::any_of(seen_.failed_hooks.begin(), seen_.failed_hooks.end(), [&](const auto& failed) {
      return failed.service == hook.service && failed.phase == hook.phase && failed.index == hook.index;
    });
  }
  // The replica that a hook is of, by the key of the step that makes it.
  const Verdict* replica_of(const std::string& create_step) const {
    const auto name = create_step.empty() ? "" : create_step.substr(std::string_view("create ").size());
    const auto found = replicas_.find(name);
    return found == replicas_.end() ? nullptr : &found->second.second;
  }
  std::string container_of(const std::string& create_step) const {
    for (const auto& [number, container] : seen_.of(service_of(create_step)))
      if (create_step == "create " + replica(container.service, number)) return container.id;
    return "";
  }
  std::string service_of(const std::string& create_step) const {
    const auto found = replicas_.find(create_step.substr(std::string_view("create ").size()));
    return found == replicas_.end() ? "" : found->second.first;
  }

  // Whether an entry's turn comes at all; "" when it does not, and else why.
  std::string why_it_runs(const Hook& params, const model::Hook& hook) const {
    const auto* outlook = seen_.outlook(hook.service, hook.phase, hook.index);
    if (outlook && !outlook->due.empty()) return outlook->due;
    if (hook.service.empty())
      return "it runs in every " + std::string(to_string(request_.kind)) + " that does something";
    if (hook.phase == Phase::before_start) return hook.service + " is started";
    if (hook.phase == Phase::before_down || hook.phase == Phase::pre_stop)
      return params.reason == "scale-down" || params.reason == "orphan" ? hook.service + " is removed"
                                                                        : hook.service + " is stopped first";
    if (failed_before(hook)) return "it failed when it last ran";
    if (engine_restarted(hook.service) && model::row_of(hook.phase).after_start)
      return hook.service + " was restarted behind stackd's back";
    if (hook.phase == Phase::pre_start) return why_pre_start(params, hook, outlook);
    const auto* replica = replica_of(params.create_step);
    if (replica) return replica->what == What::leave ? "" : hook.service + " is started";
    return starts(hook.service) ? hook.service + " is started" : "";
  }

  // C4.2, X3
  std::string why_pre_start(const Hook& params, const model::Hook& hook, const HookOutlook* outlook) const {
    const auto runs = [&](const std::string& key) {
      const auto* verdict = replica_of(key);
      return verdict && verdict->what == What::leave;
    };
    if (runs(params.create_step)) return "";
    if (!hook.per_replica && std::any_of(params.gate.begin(), params.gate.end(), runs)) return "";
    const auto* verdict = replica_of(params.create_step);
    const bool same = verdict && (verdict->what == What::start || verdict->what == What::restart);
    if (same && hook.run != model::RunPolicy::always && outlook &&
        outlook->worked.contains(container_of(params.create_step)))
      return "";
    return hook.service + " is started";
  }

  void look_at_hook(const StepPlan& step, const Hook& params) {
    model::Hook hook;
    hook.phase = params.phase;
    hook.index = params.index;
    hook.service = step.service;
    const auto* known = find_hook(hook);
    if (known) hook = *known;
    const auto subject = label(step.service, params.phase, params.index);
    if (said_.contains(subject)) return;  // of another replica
    const auto why = why_it_runs(params, hook);
    if (why.empty()) return;
    const auto* outlook = seen_.outlook(step.service, params.phase, params.index);
    if (outlook && !outlook->skip.empty())
      add({"skip", subject, step.service, outlook->skip, {}, {}});
    else
      add({"run", subject, step.service, why, {}, {}});
  }

  const model::Hook* find_hook(const model::Hook& like) const {
    const auto* own = now_.spec->find_known(like.service);
    const auto& hooks = own ? own->hooks : now_.spec->hooks;
    for (const auto& hook : hooks)
      if (hook.phase == like.phase && hook.index == like.index) return &hook;
    return nullptr;
  }

  void look_at_pre_run(const StepPlan& step, const PreRun& params) {
    const auto subject = label(step.service, Phase::pre_run, params.index);
    const auto* verdict = replica_of(params.create_step);
    const bool again = engine_restarted(step.service);
    if (said_.contains(subject) || (verdict && verdict->what == What::leave && !again)) return;
    const auto* outlook = seen_.outlook(step.service, Phase::pre_run, params.index);
    const bool skips = outlook && !outlook->skip.empty();
    add({skips ? "skip" : "run",
         subject,
         step.service,
         skips ? outlook->skip : step.service + " is started",
         {},
         {}});
  }

  // ---- what is taken along

  static void note(std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  void take_along_network(Action& action) const {
    const auto key = action.subject.substr(std::string_view("network ").size());
    for (const auto& other : now_.spec->services)
      if (other.container && other.container->networks.contains(key) && choice_.recreate.contains(other.name))
        note(action.takes_along, other.name);
  }
  void take_along(Action& action) const {
    for (const auto& other : now_.spec->services) {
      if (!choice_.selected.contains(other.name) || other.name == action.service) continue;
      const auto dependency = other.depends_on.find(action.service);
      if (dependency != other.depends_on.end() && dependency->second.restart &&
          choice_.stop_first.contains(other.name))
        note(action.takes_along, other.name);
      if (!other.container || !choice_.recreate.contains(other.name)) continue;
      const auto shared = translate::services_referred_to(*other.container);
      if (std::find(shared.begin(), shared.end(), action.service) != shared.end())
        note(action.takes_along, other.name);
    }
  }

  const model::Stack& now_;
  const Request& request_;
  const UpChoice& choice_;
  const Snapshot& seen_;
  Reasons reasons_;
  std::map<std::string, std::pair<std::string, Verdict>>
      replicas_;  // "web-1" -> its service, what becomes of it
  std::map<std::string, Verdict> processes_;
  std::vector<Action> actions_;
  std::set<std::string> said_;
};

}  // namespace

std::vector<std::string> keys_of(const std::vector<StepPlan>& steps) {
  std::vector<std::string> keys;
  for (const auto& step : steps) keys.push_back(step.key);
  return keys;
}

bool Explained::to_do() const {
  return std::any_of(actions.begin(), actions.end(),
                     [](const Action& action) { return action.what != "skip"; });
}

Explained explain_up(const model::Stack& now, const std::optional<model::Stack>& before,
                     const Request& request, const Snapshot& seen) {
  Explained told;
  std::vector<std::string> said;  // plan_up says the same
  const auto choice = choose_up(now, request, seen, said);
  auto plan = plan_up(now, request, seen);
  told.warnings = std::move(plan.warnings);
  told.steps = keys_of(plan.steps);
  UpWords words(now, before ? &*before : nullptr, request, choice, seen);
  for (const auto& step : plan.steps) words.read_step(step);
  words.say_what_is_skipped();
  told.actions = words.take();
  return told;
}

}  // namespace stackd::plan
