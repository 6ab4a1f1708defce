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
  wait,
  ls,
  build,
  pull,
  push,
  restart,
  stop,
  start,
  cancel,
  rollback,
  attach,
  create,
  cp,
  images,
  stats,
  logs,
  hooks,
  timeline,
  events,
  urls,
  top,
  env,
  exec,
  run,
  ps,
  kill,
  pause,
  unpause,
  port,
  rm,
  scale,
  volumes,
  validate,
  config,
  schema,
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
  // A file's command may have its name all the same: it was free once, and `run NAME` tells them apart.
  bool free_name = false;
};

inline constexpr auto k_verbs = std::to_array<VerbRow>({
    {Verb::up, "up", "Bring the stack of this directory up"},
    {Verb::diff, "diff", "What an up would change, value by value; nothing is done"},
    {Verb::down, "down", "Take it down: exactly what up made goes away"},
    {Verb::status, "status", "Its services, ports and last operation"},
    {Verb::wait, "wait", "Wait until services are ready, healthy, stopped or have ended", true},
    {Verb::ls, "ls", "Every stack of this machine"},
    {Verb::build, "build", "Build the images of services", true},
    {Verb::pull, "pull", "Pull the images of services", true},
    {Verb::push, "push", "Push the images that are built for services", true},
    {Verb::restart, "restart", "Restart services"},
    {Verb::stop, "stop", "Stop services, keep their containers"},
    {Verb::start, "start", "Start stopped services"},
    {Verb::cancel, "cancel", "Cancel the running operation; what it started is taken away", true},
    {Verb::rollback, "rollback", "After a failed up --keep: back to what was up before it", true},
    {Verb::attach, "attach", "Follow the running operation; with SERVICE the ends of its command", true},
    {Verb::create, "create", "Make the containers of services, start nothing", true},
    {Verb::cp, "cp", "Copy files into a service's container, or out of one", true},
    {Verb::images, "images", "What its containers are made from", true},
    {Verb::stats, "stats", "What its containers and processes use, as it changes", true},
    {Verb::logs, "logs", "What the services wrote"},
    {Verb::hooks, "hooks", "Hook runs; with RUN one run's record and log"},
    {Verb::timeline, "timeline", "An operation's steps: when each began, how long it took"},
    {Verb::events, "events", "The journal, as it is written"},
    {Verb::urls, "urls", "Where the services answer"},
    {Verb::top, "top", "What its containers and processes use of this machine"},
    {Verb::env, "env", "The stack's environment, as lines for a shell"},
    {Verb::exec, "exec", "Run a command in a service's container, or on this host"},
    {Verb::run, "run", "A one-off of a service in a container, or one of the file's commands"},
    {Verb::ps, "ps", "Its containers: image, command, status, ports", true},
    {Verb::kill, "kill", "Send its containers a signal", true},
    {Verb::pause, "pause", "Pause its containers", true},
    {Verb::unpause, "unpause", "Let paused containers go on", true},
    {Verb::port, "port", "Where a container's port is on this machine", true},
    {Verb::rm, "rm", "Remove containers that are stopped", true},
    {Verb::scale, "scale", "Run so many containers of a service", true},
    {Verb::volumes, "volumes", "The volumes that were made for it", true},
    {Verb::validate, "validate", "Check the stack file, run nothing"},
    {Verb::schema, "schema", "The JSON Schema of stackd.yaml, for editors"},
    {Verb::config, "config", "The stack file as it is understood"},
    {Verb::graph, "graph", "Which service comes after which"},
    {Verb::init, "init", "Write a commented stackd.yaml"},
    {Verb::prune, "prune", "Remove images of build hooks that no stack uses"},
    {Verb::nuke, "nuke", "Take every stack down, without hooks"},
    {Verb::daemon, "daemon", "status, start, stop or install the daemon"},
    {Verb::completion, "completion", "A completion script for bash, zsh or fish"},
    {Verb::version, "version", "Versions of stackctl and the daemon"},
});

}  // namespace stackd::proto
