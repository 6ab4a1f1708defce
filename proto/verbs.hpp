// stackctl's commands: their names and what each is for. The client runs them; the daemon knows them because
// one of a file's `commands` by such a name could not be told from them (L1).
#pragma once

#include <array>

namespace stackd::proto {

enum class Verb {
  up,
  diff,
  down,
  status,
  ls,
  restart,
  stop,
  start,
  cancel,
  attach,
  logs,
  hooks,
  timeline,
  events,
  urls,
  top,
  env,
  exec,
  run,
  validate,
  config,
  graph,
  init,
  prune,
  nuke,
  daemon,
  completion,
  version,
};

struct VerbRow {
  Verb verb;
  const char* name;
  const char* summary;
};

inline constexpr std::array<VerbRow, 28> k_verbs{{
    {Verb::up, "up", "Bring the stack of this directory up"},
    {Verb::diff, "diff", "What an up would change, value by value; nothing is done"},
    {Verb::down, "down", "Take it down: exactly what up made goes away"},
    {Verb::status, "status", "Its services, ports and last operation"},
    {Verb::ls, "ls", "Every stack of this machine"},
    {Verb::restart, "restart", "Restart services"},
    {Verb::stop, "stop", "Stop services, keep their containers"},
    {Verb::start, "start", "Start stopped services"},
    {Verb::cancel, "cancel", "Cancel the running operation; what it started is taken away"},
    {Verb::attach, "attach", "Follow the running operation, from any terminal"},
    {Verb::logs, "logs", "What the services wrote"},
    {Verb::hooks, "hooks", "Hook runs; with RUN one run's record and log"},
    {Verb::timeline, "timeline", "An operation's steps: when each began, how long it took"},
    {Verb::events, "events", "The journal, as it is written"},
    {Verb::urls, "urls", "Where the services answer"},
    {Verb::top, "top", "What its containers and processes use of this machine"},
    {Verb::env, "env", "The stack's environment, as lines for a shell"},
    {Verb::exec, "exec", "Run a command on this host with the stack's environment"},
    {Verb::run, "run", "Run one of the file's commands"},
    {Verb::validate, "validate", "Check the stack file, run nothing"},
    {Verb::config, "config", "The stack file as it is understood"},
    {Verb::graph, "graph", "Which service comes after which"},
    {Verb::init, "init", "Write a commented stackd.yaml"},
    {Verb::prune, "prune", "Remove images of build hooks that no stack uses"},
    {Verb::nuke, "nuke", "Take every stack down, without hooks"},
    {Verb::daemon, "daemon", "status, start, stop or install the daemon"},
    {Verb::completion, "completion", "A completion script for bash, zsh or fish"},
    {Verb::version, "version", "Versions of stackctl and the daemon"},
}};

}  // namespace stackd::proto
