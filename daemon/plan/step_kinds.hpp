// The table of step kinds: what each is told (its params) and what it leaves for the steps after it (its
// Result), as structs with a codec, so that nobody reads a step's JSON by key. What a kind does is in steps/,
// in a file of its own.
//
// A kind is a struct with `k_kind` (its name in the store and on the wire), `k_interruptible` (it may be
// cancelled while it waits; others run to their end) and Result; its fields are listed below it, and it has
// its place in AllKinds. A param called *_step is the key of another step, whose result is read.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/model/codec.hpp"
#include "daemon/model/phases.hpp"
#include "daemon/operations/step_plan.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/util/time.hpp"

namespace stackd::plan {

struct Nothing {};

// ---- looking and deciding: they emit the steps that follow

struct PlanUp {
  static constexpr const char* k_kind = "plan-up";
  static constexpr bool k_interruptible = false;
  std::string
      env_from;        // the step that ran the file's env_from before this one; "" when it was not asked yet
  bool again = false;  // a restart whose first half failed: what it stopped for nothing is started
  struct Result {
    bool unchanged = false;
  };
};
struct PlanDown {  // down, stop, and the first half of a restart
  static constexpr const char* k_kind = "plan-down";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct PlanRecover {
  static constexpr const char* k_kind = "plan-recover";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct PlanHooks {  // hooks run
  static constexpr const char* k_kind = "plan-hooks";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct PlanRollback {
  static constexpr const char* k_kind = "plan-rollback";
  static constexpr bool k_interruptible = false;
  bool only_hooks = false;  // up --keep: what runs stays, the operation's hooks end
  bool by_hand = false;     // rollback: of the ups that failed with --keep
  using Result = Nothing;
};
struct PlanImages {  // build, pull, push
  static constexpr const char* k_kind = "plan-images";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct EnvFrom {
  static constexpr const char* k_kind = "env-from";
  static constexpr bool k_interruptible = true;
  struct Result {
    int commands = 0;
  };
};

// ---- images, networks, volumes: what several services share

struct Image {
  static constexpr const char* k_kind = "image";
  static constexpr bool k_interruptible = true;
  std::string image;  // reference
  bool build = false, rebuild = false, no_build = false;
  std::string pull;        // the operation's policy; "" is the service's own
  bool only_pull = false;  // of a pre_start entry: it is not the service's that is built
  bool pull_base = false;  // of a build: what FROM names is pulled, there or not
  std::map<std::string, std::string> args, ssh;  // of a build, over the file's
  bool all_platforms = false;                    // of a build: each that the file names
  bool optional = false;                         // a failure is a warning
  struct Result {
    translate::ImageFacts image;
    bool present = false;  // it was there, and nothing was done
    std::string tag;       // to create from; "" is the reference
  };
};
struct Push {
  static constexpr const char* k_kind = "push";
  static constexpr bool k_interruptible = true;
  std::string image;
  bool optional = false;
  using Result = Nothing;
};
struct Derive {  // build hooks on top of an image
  static constexpr const char* k_kind = "derive";
  static constexpr bool k_interruptible = true;
  std::string image_step;
  bool rebuild = false;
  using Result = Image::Result;
};
struct Network {
  static constexpr const char* k_kind = "network";
  static constexpr bool k_interruptible = false;
  std::string key;
  struct Result {
    std::string id;
    bool created = false;
  };
};
struct Volume {
  static constexpr const char* k_kind = "volume";
  static constexpr bool k_interruptible = false;
  std::string key;
  struct Result {
    bool created = false;
  };
};
struct RemoveNetworks {
  static constexpr const char* k_kind = "remove-networks";
  static constexpr bool k_interruptible = false;
  std::string operation;  // only those that it made; "" all of the stack's
  using Result = Nothing;
};
struct RemoveVolumes {
  static constexpr const char* k_kind = "remove-volumes";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct RemoveImages {
  static constexpr const char* k_kind = "remove-images";
  static constexpr bool k_interruptible = false;
  std::string rmi;  // local, all
  using Result = Nothing;
};

// ---- containers

struct Create {
  static constexpr const char* k_kind = "create";
  static constexpr bool k_interruptible = false;
  int number = 1;
  bool force = false;          // anew, changed or not
  bool renew = false;          // its anonymous volumes too, which it would else take over (C8.4)
  std::optional<int> timeout;  // seconds that what it replaces has to stop
  bool as_is = false;          // what is there is taken, changed or not (recovery)
  bool restarted = false;      // the engine has started it since; this operation answers for that (X30)
  bool puts_back = false;      // it was kept: it gets back the networks that it has lost
  bool keeps = false;          // what it takes out of service is kept (X34)
  std::string image_step;
  std::string existing;                    // id of the container that has its place now; "" none
  std::vector<std::string> restarts_with;  // create steps of dependencies that take it along (X8)
  struct Result {
    std::string id, name;
    bool created = false;      // now
    bool replaced = false;     // in the place of another
    bool was_running = false;  // and still is
    std::string state;
    bool restarted = false;
    std::vector<std::string> command;  // what its pre_run hooks become
  };
};
struct Start {
  static constexpr const char* k_kind = "start";
  static constexpr bool k_interruptible = false;
  int number = 1;
  std::string create_step, reason;
  struct Result {
    bool started = false, restarted = false;
    std::string id;
    std::string token;       // of its pre_run hooks
    util::TimeMs at = 0;     // when the engine had started it
    std::optional<int> pid;  // k_ended when its process had ended already; nothing when it was not seen
  };
};
constexpr int k_ended = -1;
struct Stop {
  static constexpr const char* k_kind = "stop";
  static constexpr bool k_interruptible = false;
  std::string id, name;
  std::optional<int> timeout;         // seconds
  bool keeps = false, aside = false;  // X34: it is noted before, and out of the way afterwards
  using Result = Nothing;
};
struct Remove {
  static constexpr const char* k_kind = "remove";
  static constexpr bool k_interruptible = false;
  std::string id, name;
  bool volumes = false;  // anonymous ones too
  bool warns = false;    // a failure is a warning: nobody waits for it
  using Result = Nothing;
};
struct PreRun {
  static constexpr const char* k_kind = "pre-run";
  static constexpr bool k_interruptible = true;
  int index = 0;
  std::string create_step, start_step, reason;
  struct Result {
    std::string run, state;
  };
};

// ---- processes

struct StartProcess {
  static constexpr const char* k_kind = "start-process";
  static constexpr bool k_interruptible = false;
  bool force = false;  // anew, changed or not
  struct Result {
    bool started = false;
    std::string run;
  };
};
struct StopProcess {
  static constexpr const char* k_kind = "stop-process";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};

// ---- readiness

struct Ready {
  static constexpr const char* k_kind = "ready";
  static constexpr bool k_interruptible = true;
  std::vector<std::string> create_steps;  // of its replicas
  std::string image_step;                 // an image may bring a healthcheck
  bool awaited_healthy = false;           // by another service (C6.3)
  bool optional = false;                  // nobody requires it: it may fail (C6.6)
  struct Result {
    bool failed = false;
  };
};
struct ReadyProcess {
  static constexpr const char* k_kind = "ready-process";
  static constexpr bool k_interruptible = true;
  bool optional = false;
  using Result = Ready::Result;
};
struct Completed {
  static constexpr const char* k_kind = "completed";
  static constexpr bool k_interruptible = true;
  std::vector<std::string> create_steps;  // of its replicas; none of a process
  bool optional = false;
  using Result = Ready::Result;
};
struct Settle {  // what has just been started is still there a moment later (L3.5, X28)
  static constexpr const char* k_kind = "settle";
  static constexpr bool k_interruptible = true;
  struct Container {
    std::string service, create_step, start_step;
  };
  std::vector<Container> containers;
  std::vector<std::string> processes;  // services
  using Result = Nothing;
};

// ---- hooks

struct Hook {
  static constexpr const char* k_kind = "hook";
  static constexpr bool k_interruptible = true;
  model::Phase phase = model::Phase::before_up;
  int index = 0;
  std::string reason;                   // STACKD_REASON
  bool gone = false;                    // an entry of Spec::gone, whatever the file has of that name now
  std::string container, name;          // of a container that is there
  std::string create_step;              // of one that comes out of a step
  std::vector<std::string> gate;        // pre_start: create steps of all replicas; none may be running (C4.2)
  std::vector<std::string> started_by;  // runs only when one of these has started something
  std::vector<int> due;                 // indexes of entries that run all the same (X36)
  std::string ready_step;               // and when this one has not failed
  bool by_hand = false;                 // hooks run: whatever it remembers, and its `if` says
  bool warns = false;                   // pre_stop: a failure is a warning, where the entry does not say it
  struct Result {
    std::string run, state;
  };
};
struct EndHook {
  static constexpr const char* k_kind = "end-hook";
  static constexpr bool k_interruptible = false;
  std::string run;
  using Result = Nothing;
};

// ---- ends

struct FinishUp {
  static constexpr const char* k_kind = "finish-up";
  static constexpr bool k_interruptible = false;
  bool recover = false;
  bool only_made = false;  // nothing was started: the stack is up or down as it was
  using Result = Nothing;
};
// X34, after the replacements have gone: names, policies, spec, facts and ports as they were. It emits the
// start of what ran, and a PutBackDone.
struct PutBack {
  static constexpr const char* k_kind = "put-back";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct PutBackDone {
  static constexpr const char* k_kind = "put-back-done";
  static constexpr bool k_interruptible = false;
  using Result = Nothing;
};
struct FinishDown {
  static constexpr const char* k_kind = "finish-down";
  static constexpr bool k_interruptible = false;
  bool whole = false, rollback = false;
  bool forget = false;                 // down -v: what once and changed remember (X36)
  std::vector<std::string> forget_of;  // of these services alone; none is of the whole stack
  using Result = Nothing;
};

using AllKinds =
    std::tuple<PlanUp, PlanDown, PlanRecover, PlanHooks, PlanRollback, PlanImages, EnvFrom, Image, Push,
               Derive, Network, Volume, RemoveNetworks, RemoveVolumes, RemoveImages, Create, Start, Stop,
               Remove, PreRun, StartProcess, StopProcess, Ready, ReadyProcess, Completed, Settle, Hook,
               EndHook, FinishUp, PutBack, PutBackDone, FinishDown>;

using Keys = std::vector<std::string>;

// A step of a kind, as the runner takes it.
template <class Kind>
operations::StepPlan step(std::string key, std::string service, const Kind& params, Keys needs = {},
                          bool go_on = false) {
  return {std::move(key), Kind::k_kind, std::move(service), model::encode(params), std::move(needs), go_on};
}

}  // namespace stackd::plan

namespace stackd::model {

#define F STACKD_F
STACKD_FIELDS(plan::Nothing)
STACKD_FIELDS(plan::PlanUp, F(env_from), F(again))
STACKD_FIELDS(plan::PlanUp::Result, F(unchanged))
STACKD_FIELDS(plan::PlanDown)
STACKD_FIELDS(plan::PlanRecover)
STACKD_FIELDS(plan::PlanHooks)
STACKD_FIELDS(plan::PlanRollback, F(only_hooks), F(by_hand))
STACKD_FIELDS(plan::EnvFrom)
STACKD_FIELDS(plan::EnvFrom::Result, F(commands))
STACKD_FIELDS(translate::ImageFacts, F(id), F(user), F(working_dir), F(entrypoint), F(command), F(shell),
              F(healthcheck))
STACKD_FIELDS(plan::PlanImages)
STACKD_FIELDS(plan::Push, F(image), F(optional))
STACKD_FIELDS(plan::Image, F(image), F(build), F(rebuild), F(no_build), F(pull), F(only_pull), F(pull_base),
              F(args), F(ssh), F(all_platforms), F(optional))
STACKD_FIELDS(plan::Image::Result, F(image), F(present), F(tag))
STACKD_FIELDS(plan::Derive, F(image_step), F(rebuild))
STACKD_FIELDS(plan::Network, F(key))
STACKD_FIELDS(plan::Network::Result, F(id), F(created))
STACKD_FIELDS(plan::Volume, F(key))
STACKD_FIELDS(plan::Volume::Result, F(created))
STACKD_FIELDS(plan::RemoveNetworks, F(operation))
STACKD_FIELDS(plan::RemoveVolumes)
STACKD_FIELDS(plan::RemoveImages, F(rmi))
STACKD_FIELDS(plan::Create, F(number), F(force), F(renew), F(timeout), F(as_is), F(restarted), F(puts_back),
              F(keeps), F(image_step), F(existing), F(restarts_with))
STACKD_FIELDS(plan::Create::Result, F(id), F(name), F(created), F(replaced), F(was_running), F(state),
              F(restarted), F(command))
STACKD_FIELDS(plan::Start, F(number), F(create_step), F(reason))
STACKD_FIELDS(plan::Start::Result, F(started), F(restarted), F(id), F(token), F(at), F(pid))
STACKD_FIELDS(plan::Stop, F(id), F(name), F(timeout), F(keeps), F(aside))
STACKD_FIELDS(plan::Remove, F(id), F(name), F(volumes), F(warns))
STACKD_FIELDS(plan::PreRun, F(index), F(create_step), F(start_step), F(reason))
STACKD_FIELDS(plan::PreRun::Result, F(run), F(state))
STACKD_FIELDS(plan::StartProcess, F(force))
STACKD_FIELDS(plan::StartProcess::Result, F(started), F(run))
STACKD_FIELDS(plan::StopProcess)
STACKD_FIELDS(plan::Ready, F(create_steps), F(image_step), F(awaited_healthy), F(optional))
STACKD_FIELDS(plan::Ready::Result, F(failed))
STACKD_FIELDS(plan::ReadyProcess, F(optional))
STACKD_FIELDS(plan::Completed, F(create_steps), F(optional))
STACKD_FIELDS(plan::Settle::Container, F(service), F(create_step), F(start_step))
STACKD_FIELDS(plan::Settle, F(containers), F(processes))
STACKD_FIELDS(plan::Hook, F(phase), F(index), F(reason), F(gone), F(container), F(name), F(create_step),
              F(gate), F(started_by), F(due), F(ready_step), F(by_hand), F(warns))
STACKD_FIELDS(plan::Hook::Result, F(run), F(state))
STACKD_FIELDS(plan::EndHook, F(run))
STACKD_FIELDS(plan::FinishUp, F(recover), F(only_made))
STACKD_FIELDS(plan::PutBack)
STACKD_FIELDS(plan::PutBackDone)
STACKD_FIELDS(plan::FinishDown, F(whole), F(rollback), F(forget), F(forget_of))
#undef F

}  // namespace stackd::model
