#include "daemon/stacks/build_hooks.hpp"

#include "daemon/hooks/policy.hpp"
#include "daemon/spec/environment.hpp"
#include "daemon/spec/json.hpp"
#include "daemon/spec/moat_text.hpp"
#include "daemon/spec/references.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using spec::Phase;

constexpr Phase k_phases[] = {Phase::post_build_root, Phase::post_build};

std::string directory_of(const spec::Service& service) {
  return service.container->working_dir.empty() ? "/workspace" : service.container->working_dir;
}

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Exec form, so that a hook of many lines needs no escaping; the image's own shell, as RUN would take it
// (M2.4).
std::string run_line(const std::string& text, const BaseImage& base) {
  json words = base.shell.empty() ? json::array({"/bin/sh", "-c"}) : json(base.shell);
  words.push_back(text);
  return "RUN " + dumped(words) + "\n";
}

// The builder expands variables in USER and WORKDIR; these are names.
std::string literal(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '$' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// A failure that does not count must not end the build; its status is in the output (steps_build.cpp).
std::string forgiving(const spec::Hook& hook, const std::string& script) {
  if (hooks::on_failure_of(hook, false) == spec::OnFailure::fail) return script;
  return "(\n" + script + "\n) || echo \"" + std::string("stackd: exit status ") + "$?\"";
}

}  // namespace

BaseImage base_of(const json& image) {
  const auto words = [&](const char* key) { return image.value(key, std::vector<std::string>{}); };
  return {image.value("id", ""), image.value("user", ""), image.value("working_dir", ""),
          words("entrypoint"),   words("command"),        words("shell")};
}

bool has_build_hooks(const spec::Service& service) {
  return !service.hooks_of(Phase::post_build_root).empty() || !service.hooks_of(Phase::post_build).empty();
}

std::string shell_preamble(const spec::Spec& spec, const spec::Facts& facts, const spec::Hook& hook) {
  std::string lines;
  for (const auto& [name, value] : hook.env)
    if (value)
      lines += "export " + name + "=" +
               util::shell_quoted(spec::resolve(*value, spec::Strictness::value, spec, facts)) + "\n";
  if (!hook.cwd.empty())
    lines += "cd " + util::shell_quoted(spec::resolve(hook.cwd, spec::Strictness::shell, spec, facts)) +
             " || exit\n";
  return lines;
}

std::vector<BuildHook> build_hooks(const spec::Spec& spec, const spec::Facts& facts,
                                   const spec::Service& service, const std::string& previous) {
  std::vector<BuildHook> hooks;
  for (const auto phase : k_phases)
    for (const auto* hook : service.hooks_of(phase)) {
      spec::Variables environment;
      if (!hook->if_env.empty()) environment = spec::hook_environment(spec, facts, *hook);
      if (!hooks::condition_not_met(*hook, spec.profile, environment, previous).empty()) continue;
      const auto preamble = shell_preamble(spec, facts, *hook);
      const auto text = spec::resolve(hook->shell, spec::Strictness::shell, spec, facts);
      hooks.push_back({hook, preamble + text, forgiving(*hook, preamble + spec::build_script(text))});
    }
  return hooks;
}

std::string build_hooks_key(const spec::Service& service) {
  json texts = json::array();
  for (const auto phase : k_phases)
    for (const auto* hook : service.hooks_of(phase)) {
      auto entry = spec::to_json(*hook);
      for (const auto* other : {"service", "place", "timeout", "retries", "retry_delay"}) entry.erase(other);
      texts.push_back(std::move(entry));
    }
  texts.push_back(directory_of(service));
  return util::sha256_hex(dumped(texts)).substr(0, 16);
}

std::string derived_tag(const spec::Service& service, const std::vector<BuildHook>& hooks,
                        const BaseImage& base) {
  json parts{base.id, base.user, base.shell, directory_of(service)};
  for (const auto& hook : hooks)
    parts.push_back({spec::to_string(hook.hook->phase), hook.raw, static_cast<int>(hook.hook->on_failure)});
  return "stackd-hooks:" + util::sha256_hex(dumped(parts)).substr(0, 16);
}

DerivedBuild derived_build(const spec::Service& service, const std::vector<BuildHook>& hooks,
                           const BaseImage& base, const std::string& stack) {
  DerivedBuild build;
  const auto user = base.user.empty() ? "root" : base.user;
  const auto directory = directory_of(service);
  int step = 0;
  const auto add = [&](const std::string& line) {
    build.dockerfile += line;
    ++step;
  };
  add("FROM " + base.id + "\n");
  // First, so that a layer of a build that was cut short is known for what it is and goes with the others.
  add("LABEL " + std::string(k_hooks_label) + "=1 " + label::k_stack + "=" + dumped(stack) + "\n");
  add("USER root\n");
  // X22: a directory that is made here is the user's, so that post_build can write to it.
  if (user != "root" && user != "0")
    add(run_line("test -d " + util::shell_quoted(directory) + " || { mkdir -p " +
                     util::shell_quoted(directory) + " && chown " + util::shell_quoted(user) + " " +
                     util::shell_quoted(directory) + "; } || true",
                 base));
  add("WORKDIR " + literal(directory) + "\n");
  bool as_user = false;
  for (const auto& hook : hooks) {
    if (hook.hook->phase == Phase::post_build && !as_user) {
      add("USER " + literal(user) + "\n");
      as_user = true;
    }
    add(run_line(hook.script, base));
    build.steps.push_back(step);
  }
  if (!as_user) add("USER " + literal(user) + "\n");
  add("WORKDIR " + literal(base.working_dir.empty() ? "/" : base.working_dir) + "\n");
  return build;
}

}  // namespace stackd::stacks
