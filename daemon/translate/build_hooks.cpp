#include "daemon/translate/build_hooks.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/model/json.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/translate/moat_text.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::translate {
namespace {

using model::Phase;
using nlohmann::json;

std::vector<Phase> build_phases() {
  return model::service_phases([](const auto& row) { return row.place == model::HookPlace::build; });
}

std::string directory_of(const model::Service& service) {
  return service.container->working_dir.empty() ? "/workspace" : service.container->working_dir;
}

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Exec form, so that a hook of many lines needs no escaping; the image's own shell, as RUN would take it
// (M2.4).
std::string run_line(const std::string& text, const ImageFacts& base, const std::string& mounts = "") {
  json words = base.shell.empty() ? json::array({"/bin/sh", "-c"}) : json(base.shell);
  words.push_back(text);
  return "RUN " + mounts + dumped(words) + "\n";
}

bool is_root(const std::string& user) {
  return user.empty() || user == "root" || user == "0";
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

// A failure that does not count must not end the build; its status is in the output (hooks/build_run.cpp).
std::string forgiving(const model::Hook& hook, const std::string& script) {
  if (resolve::on_failure_of(hook) == model::OnFailure::fail) return script;
  return "(\n" + script + "\n) || echo \"" + std::string("stackd: exit status ") + "$?\"";
}

// One at a time, as package managers want it. What root has is what a Dockerfile's own mount of the directory
// has; a user's is the user's.
std::string cache_mounts(const std::vector<std::string>& directories, const std::string& user) {
  std::string mounts;
  for (const auto& directory : directories)
    mounts += "--mount=type=cache,sharing=locked,target=" + directory +
              (is_root(user) ? "" : ",id=" + user + ":" + directory) + " ";
  return mounts;
}

// A new one is root's, and old builders let nobody else write to it, whatever `mode` says (their umask is in
// it); the number of a user who is a name is known to the image alone.
std::string opened_line(const std::vector<BuildHook>& hooks, const std::string& user,
                        const ImageFacts& base) {
  std::vector<std::string> directories;
  for (const auto& hook : hooks)
    for (const auto& directory : hook.cache)
      if (hook.hook->phase == Phase::post_build &&
          std::find(directories.begin(), directories.end(), directory) == directories.end())
        directories.push_back(directory);
  if (directories.empty() || is_root(user)) return "";
  return run_line("chmod 0777 " + util::join(directories, " "), base, cache_mounts(directories, user));
}

}  // namespace

bool has_build_hooks(const model::Service& service) {
  return std::any_of(service.hooks.begin(), service.hooks.end(), [](const model::Hook& hook) {
    return model::row_of(hook.phase).place == model::HookPlace::build;
  });
}

std::string shell_preamble(const model::Spec& spec, const model::Facts& facts, const model::Hook& hook) {
  std::string lines;
  for (const auto& [name, value] : hook.env)
    if (value)
      lines += "export " + name + "=" +
               util::shell_quoted(resolve::resolved(*value, resolve::Strictness::value, spec, facts)) + "\n";
  if (!hook.cwd.empty())
    lines += "cd " +
             util::shell_quoted(resolve::resolved(hook.cwd, resolve::Strictness::shell, spec, facts)) +
             " || exit\n";
  return lines;
}

std::vector<BuildHook> build_hooks(const model::Spec& spec, const model::Facts& facts,
                                   const model::Service& service, const std::string& previous) {
  std::vector<BuildHook> hooks;
  for (const auto phase : build_phases())
    for (const auto* hook : service.hooks_of(phase)) {
      resolve::Variables environment;
      if (!hook->if_env.empty()) environment = resolve::hook_environment(spec, facts, *hook);
      if (!resolve::condition_not_met(*hook, spec.profile, environment, previous).empty()) continue;
      const auto preamble = shell_preamble(spec, facts, *hook);
      const auto text = resolve::resolved(hook->shell, resolve::Strictness::shell, spec, facts);
      hooks.push_back({hook, preamble + text, forgiving(*hook, preamble + build_script(text)), hook->cache});
    }
  return hooks;
}

std::string build_hooks_key(const model::Service& service) {
  json texts = json::array();
  for (const auto phase : build_phases())
    for (const auto* hook : service.hooks_of(phase)) {
      auto entry = model::to_json(*hook);
      for (const auto* other : {"service", "place", "timeout", "retries", "retry_delay"}) entry.erase(other);
      texts.push_back(std::move(entry));
    }
  texts.push_back(directory_of(service));
  return util::sha256_hex(dumped(texts)).substr(0, 16);
}

std::string derived_tag(const model::Service& service, const std::vector<BuildHook>& hooks,
                        const ImageFacts& base) {
  json parts{base.id, base.user, base.shell, directory_of(service)};
  for (const auto& hook : hooks) {
    parts.push_back({model::to_string(hook.hook->phase), hook.raw, static_cast<int>(hook.hook->on_failure)});
    if (!hook.cache.empty()) parts.back().push_back(hook.cache);  // what is in there is not in the image
  }
  return "stackd-hooks:" + util::sha256_hex(dumped(parts)).substr(0, 16);
}

DerivedBuild derived_build(const model::Service& service, const std::vector<BuildHook>& hooks,
                           const ImageFacts& base, const DerivedWish& wish) {
  DerivedBuild build;
  const std::string user = base.user.empty() ? "root" : base.user;
  const auto directory = directory_of(service);
  int step = 0, layer = 0;
  const auto add = [&](const std::string& line) {
    build.dockerfile += line;
    ++step;
    layer += line.starts_with("FROM ") || line.starts_with("RUN ") || line.starts_with("WORKDIR ");
  };
  add("FROM " + wish.from + "\n");
  // First, so that a layer of a build that was cut short is known for what it is and goes with the others.
  add("LABEL " + std::string(k_hooks_label) + "=1 " + label::k_stack + "=" + dumped(wish.stack) + "\n");
  add("USER root\n");
  // X22: a directory that is made here is the user's, so that post_build can write to it.
  if (!is_root(user))
    add(run_line("test -d " + util::shell_quoted(directory) + " || { mkdir -p " +
                     util::shell_quoted(directory) + " && chown " + util::shell_quoted(user) + " " +
                     util::shell_quoted(directory) + "; } || true",
                 base));
  add("WORKDIR " + literal(directory) + "\n");
  bool as_user = false;
  for (const auto& hook : hooks) {
    if (hook.hook->phase == Phase::post_build && !as_user) {
      if (const auto line = opened_line(hooks, user, base); wish.buildkit && !line.empty()) add(line);
      add("USER " + literal(user) + "\n");
      as_user = true;
    }
    add(run_line(hook.script, base, wish.buildkit ? cache_mounts(hook.cache, as_user ? user : "") : ""));
    build.steps.push_back(step);
    build.layers.push_back(layer);
  }
  if (!as_user) add("USER " + literal(user) + "\n");
  add("WORKDIR " + literal(base.working_dir.empty() ? "/" : base.working_dir) + "\n");
  return build;
}

std::string needs_buildkit(const std::vector<BuildHook>& hooks) {
  const auto found =
      std::find_if(hooks.begin(), hooks.end(), [](const BuildHook& hook) { return !hook.cache.empty(); });
  if (found == hooks.end()) return "";
  return model::to_string(found->hook->phase) + "[" + std::to_string(found->hook->index) + "]";
}

}  // namespace stackd::translate
