#include "daemon/stackfile/stack_model.hpp"

#include "daemon/compose/canonical.hpp"
#include "daemon/compose/order.hpp"
#include "daemon/stackfile/compose_model.hpp"
#include "daemon/stackfile/model_json.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

using nlohmann::json;

void put_duration(json& out, const char* key, const std::optional<Milliseconds>& value) {
  if (value) out[key] = std::to_string(value->count()) + "ms";
}

// env_files are read already, so they are part of `env`; a service's own value wins.
void put_layer(json& out, const EnvLayer& layer) {
  Environment all = layer.file_env;
  for (const auto& [name, value] : layer.env) all.insert_or_assign(name, value);
  if (!all.empty()) out["env"] = variables(all);
  for (const EnvSource& source : layer.from) {
    if (source.cmd.empty()) {
      out["env_from"].push_back(source.variable);
      continue;
    }
    json one{{"cmd", source.cmd}, {"format", source.format}};
    put(one, "cwd", source.cwd);
    out["env_from"].push_back(std::move(one));
  }
}

json condition_of(const Hook& hook) {
  json out = json::object();
  put(out, "profile", hook.if_profile);
  put(out, "os", hook.if_os);
  put(out, "env", hook.if_env);
  put(out, "previous", hook.if_previous);
  return out;
}

json policies_of(const Hook& hook) {
  static const Hook standard;
  json out = json::object();
  put_duration(out, "timeout", hook.timeout);
  put(out, "retries", hook.retries);
  if (hook.retry_delay != standard.retry_delay) put_duration(out, "retry_delay", hook.retry_delay);
  if (hook.on_failure == OnFailure::fail) out["on_failure"] = "fail";
  if (hook.on_failure == OnFailure::warn) out["on_failure"] = "warn";
  if (hook.on_failure == OnFailure::ignore) out["on_failure"] = "ignore";
  if (hook.run == RunPolicy::always) out["run"] = "always";
  if (hook.run == RunPolicy::once && hook.once_volume.empty()) out["run"] = "once";
  if (!hook.once_volume.empty()) out["once"] = "volume:" + hook.once_volume;
  if (hook.run == RunPolicy::changed) out["run"] = "changed";
  put(out, "inputs", hook.inputs);
  put(out, "run_in", hook.run_in);
  if (!hook.run_in_image.empty()) out["run_in"] = {{"image", hook.run_in_image}};
  if (json condition = condition_of(hook); !condition.empty()) out["if"] = std::move(condition);
  return out;
}

json entry_of(const Hook& hook) {
  json out = policies_of(hook);
  put(out, "cmd", hook.shell);
  put(out, "command", hook.argv);
  put(out, "cwd", hook.cwd);
  if (!hook.env.empty()) out["env"] = variables(hook.env);
  put(out, "env_group", hook.env_group);
  put(out, "user", hook.user);
  put(out, "privileged", hook.privileged);
  put(out, "image", hook.image);
  put(out, "per_replica", hook.per_replica);
  return out.size() == 1 && out.contains("cmd") ? out["cmd"] : out;
}

// The entries of a phase; those that run at the same time are a list of their own.
json entries_of(const std::vector<const Hook*>& hooks) {
  json out = json::array();
  int group = -1;
  for (const Hook* hook : hooks) {
    if (hook->group < 0) {
      out.push_back(entry_of(*hook));
    } else {
      if (hook->group != group) out.push_back(json::array());
      out.back().push_back(entry_of(*hook));
    }
    group = hook->group;
  }
  return out;
}

template <class Holder>
json lifecycle_of(const Holder& holder, const std::vector<Phase>& phases) {
  json out = json::object();
  for (const Phase phase : phases)
    if (json entries = entries_of(holder.hooks_of(phase)); !entries.empty())
      out[to_string(phase)] = std::move(entries);
  return out;
}

void put_readiness(json& out, const Service& service) {
  if (!service.ready_when) return;
  const Readiness& ready = *service.ready_when;
  json when = json::object();
  for (const auto& [kind, text] : ready.probes) when[row_of(kind).key] = text;
  put(when, "capture", ready.capture);
  put_duration(when, "timeout", ready.timeout);
  put(when, "extend_on_progress", ready.extend_on_progress);
  put_duration(when, "settle", ready.settle);
  if (!when.empty()) out["ready_when"] = std::move(when);
  if (!ready.fail_log_match.empty()) out["fail_when"] = {{"log_match", ready.fail_log_match}};
}

// What a container service has beyond Compose's keys. Compose's hooks are there already, but without what
// only stackd knows of them.
void add_to_container(json& out, const Service& service) {
  if (json lifecycle = lifecycle_of(service, phases_of(Scope::service, Vocabulary::lich)); !lifecycle.empty())
    out["lifecycle"] = std::move(lifecycle);
  for (const Phase phase : phases_of(Scope::service, Vocabulary::moat))
    for (const Hook* hook : service.hooks_of(phase)) out["hooks"][to_string(phase)] = hook->shell;
  for (const Phase phase : phases_of(Scope::service, Vocabulary::compose)) {
    const auto hooks = service.hooks_of(phase);
    for (std::size_t i = 0; i < hooks.size(); ++i)
      if (json policies = policies_of(*hooks[i]); !policies.empty())
        out[to_string(phase)][i].update(policies);
  }
  put_readiness(out, service);
}

std::string condition_word(Condition condition) {
  switch (condition) {
    case Condition::started:
      return "service_started";
    case Condition::healthy:
      return "service_healthy";
    case Condition::completed_successfully:
      return "service_completed_successfully";
    case Condition::ready:
      return "ready";
  }
  return "";
}

json process_port(const Port& port) {
  if (port.env.empty()) return port.published;
  json out{{"env", port.env}};
  if (port.published != 0) out["host_port"] = port.published;
  return out;
}

json process_of(const Service& service) {
  const Process& process = *service.process;
  json out{{"cmd", process.cmd}};
  put(out, "stop_cmd", process.stop_cmd);
  put(out, "cwd", process.cwd);
  put(out, "restart", process.restart);
  put_duration(out, "stop_grace_period", process.stop_grace_period);
  if (service.kind == ServiceKind::oneshot) out["oneshot"] = true;
  if (!process.owned_label.empty()) out["owned_containers"]["label"] = process.owned_label;
  if (!process.owned_name_pattern.empty())
    out["owned_containers"]["name_pattern"] = process.owned_name_pattern;
  if (service.depends_on_given) out["depends_on"] = json::object();
  for (const auto& [name, dependency] : service.depends_on) {
    json& one = out["depends_on"][name] = {{"condition", condition_word(dependency.condition)}};
    if (!dependency.required) one["required"] = false;
    put(one, "restart", dependency.restart);
  }
  if (service.ports.size() == 1 && service.ports.front().key == "0") {
    out["port"] = process_port(service.ports.front());
  } else {
    for (const Port& port : service.ports) out["ports"][port.key] = process_port(port);
  }
  put_layer(out, service.environment);
  put_readiness(out, service);
  if (json lifecycle = lifecycle_of(service, phases_of(Scope::service, Vocabulary::lich)); !lifecycle.empty())
    out["lifecycle"] = std::move(lifecycle);
  return out;
}

json runtime_of(const Runtime& runtime) {
  json out = json::object();
  if (!runtime.kill_others_on_fail) out["kill_others_on_fail"] = false;
  if (!runtime.fast_readiness) out["fast_readiness"] = false;
  put_duration(out, "ready_when_timeout", runtime.ready_when_timeout);
  put_duration(out, "hook_timeout", runtime.hook_timeout);
  if (runtime.port_first != 0) out["port_range"] = {runtime.port_first, runtime.port_last};
  return out;
}

void add_groups_and_commands(json& out, const Spec& spec) {
  for (const auto& [name, group] : spec.env_groups) {
    json& one = out["env_groups"][name] = json::object();
    put(one, "extends", group.extends);
    put_layer(one, group.layer);
    if (!group.process_env) one["process_env"] = false;
  }
  for (const auto& [name, command] : spec.commands) {
    json& one = out["commands"][name] = {{"cmd", command.cmd}};
    put(one, "description", command.description);
    put(one, "env_group", command.env_group);
    put(one, "cwd", command.cwd);
    if (!command.env.empty()) one["env"] = variables(command.env);
  }
}

// The chosen profile is part of it: its environment lies over the top level's, its hooks are in the lists.
EnvLayer top_layer(const Spec& spec) {
  EnvLayer layer = spec.env;
  layer.from.insert(layer.from.end(), spec.profile_env.from.begin(), spec.profile_env.from.end());
  for (const auto* more : {&spec.profile_env.file_env, &spec.profile_env.env})
    for (const auto& [name, value] : *more) layer.env.insert_or_assign(name, value);
  return layer;
}

}  // namespace

json stack_model(const Spec& spec) {
  json out = compose_model(spec);
  if (spec.format == "compose") return out;
  for (const Service& service : spec.services) {
    if (service.container)
      add_to_container(out["services"][service.name], service);
    else
      out["owned"][service.name] = process_of(service);
  }
  if (out["services"].empty()) out.erase("services");
  put_layer(out, top_layer(spec));
  add_groups_and_commands(out, spec);
  if (json lifecycle = lifecycle_of(spec, phases_of(Scope::stack, Vocabulary::lich)); !lifecycle.empty())
    out["lifecycle"] = std::move(lifecycle);
  if (json runtime = runtime_of(spec.runtime); !runtime.empty()) out["runtime"] = std::move(runtime);
  return out;
}

json nested_extensions(const Spec& spec) {
  json out = json::object();
  for (const auto& [place, text] : spec.extensions)
    if (place.find('/', 1) != std::string::npos) out[place] = compose::escaped(json::parse(text));
  return out;
}

std::string printed_model(const Spec& spec, bool yaml) {
  const auto text_of = [](const nlohmann::ordered_json& document) {
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  if (!yaml) return text_of(compose::in_order(compose_model(spec)));
  json model = compose_model_with_models(spec);
  // Where it was written, if that is a mapping still: a label may be called x-a.
  const json extensions = nested_extensions(spec);
  for (const auto& [place, value] : extensions.items()) {
    const json::json_pointer pointer(place);
    const auto holder = pointer.parent_pointer();
    if (!model.contains(pointer) && model.contains(holder) && model[holder].is_object())
      model[pointer] = value;
  }
  return text_of(compose::in_yaml_order(model));
}

}  // namespace stackd::stackfile
