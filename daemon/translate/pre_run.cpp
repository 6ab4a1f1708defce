#include "daemon/translate/pre_run.hpp"

#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/moat_text.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::translate {
namespace {

using model::Phase;
using nlohmann::json;

constexpr const char* k_mount = "/.stackd";

// Nothing but what every /bin/sh has built in; an image may have no other program. Its variables have names
// of its own, because a container's environment may have any other, and are gone before the command begins. A
// hook runs beside this shell, which as process 1 would not hear of SIGTERM otherwise.
constexpr const char* k_entry = R"sh(# Written by stackd: runs the pre_run hooks, then becomes the command.
read -r _sd_t _sd_why <"/.stackd/start"
_sd_r="/.stackd/run/$_sd_t"
_sd_k=0
if [ -f "$_sd_r.starts" ]; then
  while read -r _sd_l; do _sd_k=$((_sd_k+1)); done <"$_sd_r.starts"
fi
echo "$_sd_k" >>"$_sd_r.starts"
echo "$$" >"$_sd_r.$_sd_k.pid"
if [ "$_sd_k" != 0 ]; then _sd_why=container-restart; fi
_sd_p=
exec 3<&0
_sd_end() {
  trap '' TERM INT
  if [ -n "$_sd_p" ]; then
    kill -TERM "$_sd_p" 2>/dev/null
    wait "$_sd_p" 2>/dev/null
    echo "$1" >"$_sd_f.exit"
  fi
  exit "$1"
}
trap '_sd_end 143' TERM
trap '_sd_end 130' INT
_sd_hook() { # index, tries after the first, seconds before the second, stop or go_on
  [ -f "/.stackd/hook-$1" ] || return 0
  _sd_n=1
  _sd_s=$3
  while :; do
    _sd_f="$_sd_r.$_sd_k.$1.$_sd_n"
    STACKD_REASON=$_sd_why /bin/sh "/.stackd/hook-$1" <&3 3<&- >"$_sd_f.out" 2>"$_sd_f.err" &
    _sd_p=$!
    wait "$_sd_p"
    _sd_c=$?
    _sd_p=
    echo "$_sd_c" >"$_sd_f.exit"
    if [ "$_sd_c" = 0 ]; then return 0; fi
    if [ "$_sd_n" -gt "$2" ]; then break; fi
    sleep "$_sd_s" 2>/dev/null
    _sd_s=$((_sd_s*2))
    _sd_n=$((_sd_n+1))
  done
  if [ "$4" = go_on ]; then return 0; fi
  echo "------------------------------------------------------------" >&2
  echo "pre_run[$1] exited with status $_sd_c, so the command was not run." >&2
  echo "The hook:" >&2
  while IFS= read -r _sd_l; do echo "  $_sd_l"; done <"/.stackd/text-$1" >&2
  if [ -s "$_sd_f.err" ]; then
    echo "What it said on stderr:" >&2
    while IFS= read -r _sd_l; do echo "  $_sd_l"; done <"$_sd_f.err" >&2
  fi
  echo "Mend it, or take it out of the stack file, and bring the stack up again." >&2
  echo "------------------------------------------------------------" >&2
  exit "$_sd_c"
}
)sh";

constexpr const char* k_entry_end = R"sh(exec 3<&-
trap - TERM INT
unset _sd_t _sd_why _sd_r _sd_k _sd_l _sd_p _sd_f _sd_n _sd_s _sd_c
exec "$@"
)sh";

long long seconds_of(model::Milliseconds delay) {
  return (delay.count() + 999) / 1000;
}

}  // namespace

bool has_pre_run(const model::Service& service) {
  return !service.hooks_of(Phase::pre_run).empty();
}

std::map<std::string, std::string> pre_run_files(const model::Spec& spec, const model::Facts& facts,
                                                 const std::vector<const model::Hook*>& hooks,
                                                 const HookNames& names) {
  std::map<std::string, std::string> files;
  auto& entry = files["entry"];
  entry = k_entry;
  for (const auto* hook : hooks) {
    const auto index = std::to_string(hook->index);
    const bool go_on = resolve::on_failure_of(*hook) != model::OnFailure::fail;
    entry += "_sd_hook " + index + " " + std::to_string(hook->retries) + " " +
             std::to_string(seconds_of(hook->retry_delay)) + (go_on ? " go_on\n" : " stop\n");
    std::string lines;
    for (const auto& [name, value] : names)
      lines += "export " + name + "=" + util::shell_quoted(value) + "\n";
    lines += "export STACKD_PHASE=pre_run STACKD_INDEX=" + index + "\n";
    const auto text = resolve::resolved(hook->shell, resolve::Strictness::shell, spec, facts);
    files["hook-" + index] = lines + shell_preamble(spec, facts, *hook) + run_script(text) + "\n";
    files["text-" + index] = std::string(util::trim(hook->shell)) + "\n";
  }
  entry += k_entry_end;
  return files;
}

std::vector<std::string> command_of(const model::Service& service, const ImageFacts& base) {
  const auto& container = *service.container;
  auto words = container.entrypoint ? *container.entrypoint : base.entrypoint;
  // The engine drops the image's command where the entrypoint is overridden; so does this.
  const auto command = container.command      ? *container.command
                       : container.entrypoint ? std::vector<std::string>{}
                                              : base.command;
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

void add_pre_run(json& body, const model::Service& service, const ImageFacts& base,
                 const std::string& directory) {
  // Of the body, not of the spec: there the references are resolved.
  const bool own_entrypoint = service.container->entrypoint.has_value();
  auto words = own_entrypoint ? body.value("Entrypoint", std::vector<std::string>{}) : base.entrypoint;
  const auto command = service.container->command ? body.value("Cmd", std::vector<std::string>{})
                       : own_entrypoint           ? std::vector<std::string>{}
                                                  : base.command;
  words.insert(words.end(), command.begin(), command.end());
  if (words.empty())
    throw util::Error(
        util::ErrorKind::failed,
        "service '" + service.name +
            "' has pre_run hooks and no command: neither its image nor the stack file names one");
  body["Entrypoint"] = json::array({"/bin/sh", std::string(k_mount) + "/entry"});
  body["Cmd"] = words;
  auto& binds = body["HostConfig"]["Binds"];
  binds.push_back(directory + ":" + k_mount + ":ro");
  binds.push_back(directory + "/run:" + k_mount + "/run:rw");
}

std::string pre_run_name(const std::string& token, int start, int index, int attempt) {
  return token + "." + std::to_string(start) + "." + std::to_string(index) + "." + std::to_string(attempt);
}

}  // namespace stackd::translate
