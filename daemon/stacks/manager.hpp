// Manager: what the API can ask about stacks. Wishes become operations (stacks/submit.hpp), questions are
// answered from the picture and the store. Control thread only. Throws Error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/asio.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// A stack as the API shows it, made once for each picture of it.
struct StackView {
  std::string tag;  // another one is another picture; of this run of the daemon
  proto::Stack stack;
  std::string json;
};
using StackViewPtr = std::shared_ptr<const StackView>;

struct Parts;  // what the composition root hands over: stacks/parts.hpp

// Who asked for a command in a container, at its ends. Each is awaited: a slow one makes the command wait.
struct ExecInput {
  enum class Kind { data, end, resize, signal, detach, gone };
  Kind kind = Kind::gone;
  std::string data{};  // of a signal its name
  proto::WindowSize size{};
};
struct ExecEnds {
  // An operation that has to end before it can begin; may be empty.
  std::function<awaitable<void>(proto::Operation)> preparing = nullptr;
  std::function<awaitable<void>(proto::ExecStarted)> started;
  std::function<awaitable<void>(bool errors, std::string_view bytes)> output;
  std::function<awaitable<ExecInput>()> input;  // waits for ever where there is none
};

// Whose a command on this host is: one of the file's `commands`, else one beside a process service's, else
// anything in a group ("" is the stack's).
struct CommandOf {
  std::string command, group, service;
};

// A path of a container: of the one with that name or id, else of the service's first, or its number.
struct ContainerPath {
  std::string container, service, path;
  int index = 0;
};

class Manager {
public:
  explicit Manager(Parts& parts);
  ~Manager();

  // Wishes. Each returns the operation as it is after being written (an up that has nothing to do is over
  // already). conflict carries the running operation's id in its details. `key`: what the client calls this
  // wish ("" nothing): one that comes again, because its answer was lost, is the operation that it became.
  awaitable<proto::Operation> up(proto::UpRequest request, std::string key = "");
  awaitable<proto::Operation> down(std::string stack, proto::DownRequest request, std::string key = "");
  awaitable<proto::Operation> stop(std::string stack, proto::ServicesRequest request, std::string key = "");
  awaitable<proto::Operation> start(std::string stack, proto::ServicesRequest request, std::string key = "");
  // After a failed up --keep: back to what was up before it (X34).
  awaitable<proto::Operation> roll_back(std::string stack, std::string key);
  awaitable<proto::Operation> restart(std::string stack, proto::ServicesRequest request,
                                      std::string key = "");
  // Builds, pulls or pushes images of services; conflict when the stack is up by other files than there are
  // now.
  awaitable<proto::Operation> images(proto::ImagesRequest request, std::string key = "");
  // Entries by hand, in a stack that is up.
  awaitable<proto::Operation> run_hooks(std::string stack, proto::HooksRunRequest request,
                                        std::string key = "");
  // What hooks of a phase ("" all) remember is forgotten; how many records that were.
  awaitable<int> reset_hooks(std::string stack, std::string phase);
  awaitable<void> forget(std::string stack);  // conflict unless it is down
  awaitable<proto::Operation> cancel(std::string operation);
  awaitable<proto::Operation> wait(std::string operation);  // until it has ended
  awaitable<proto::Validation> validate(proto::UpRequest request);
  awaitable<proto::Config> config(proto::UpRequest request);     // with `services`: these and what they need
  awaitable<proto::Graph> graph(proto::UpRequest request);       // the same
  awaitable<nlohmann::json> bake(proto::ImagesRequest request);  // a bake file of its builds

  // What a wish would do now: the operation's own plan, of a look of now. Nothing is changed, run or stored.
  awaitable<proto::Plan> plan(proto::PlanRequest request);

  // Questions. `stack` is an id, or a name when only one stack has it; not_found says which are near.
  awaitable<std::vector<StackViewPtr>> list(std::string directory = "");  // "" everywhere
  awaitable<StackViewPtr> view(std::string stack);
  awaitable<proto::Stack> get(std::string stack);
  // Until all the services are as wished, or the time is out.
  awaitable<proto::Waited> wait_for(std::string stack, proto::WaitRequest request);
  awaitable<proto::Top> top(std::string stack);  // takes about a second: cpu is what is used in a while
  awaitable<std::vector<proto::Operation>> operations(std::string stack,
                                                      int limit);  // "" is every stack's; newest first
  awaitable<proto::Operation> operation(std::string id);           // with steps
  awaitable<std::vector<proto::HookRun>> hooks(std::string stack, int limit);
  awaitable<proto::HookRun> hook_run(std::string id);  // with the path of its log
  // `secrets`: as a command is run with it; else they are masked.
  awaitable<std::map<std::string, std::string>> environment(std::string stack, std::string group,
                                                            bool secrets);
  // The `commands` of the file that the request names, as it is now; of a known stack's as it was at its up
  // when the file cannot be read any more.
  awaitable<std::vector<proto::Command>> commands(proto::UpRequest request);
  // What a command on this host is run with (L6.8), over the environment of the request. A stack that is
  // known gives its ports and captured values; one that is not has none.
  awaitable<proto::Surroundings> surroundings(proto::UpRequest request, CommandOf what);

  // Logs of services, merged; runs until all ends were reached, or for ever with `follow`. The sink may
  // suspend (flow control), and throwing from it ends the call.
  using LogSink = std::function<awaitable<void>(proto::LogLine)>;
  awaitable<void> logs(std::string stack, proto::LogsRequest request, LogSink sink);

  // ---- containers, past operations; services of this host have their part where there is one
  awaitable<std::vector<proto::ContainerRow>> containers(std::string stack);
  awaitable<std::vector<proto::VolumeView>> volumes(std::string stack);
  awaitable<proto::ContainersDone> kill(std::string stack, proto::ContainersRequest request);
  awaitable<proto::ContainersDone> pause(std::string stack, proto::ContainersRequest request);
  awaitable<proto::ContainersDone> unpause(std::string stack, proto::ContainersRequest request);
  awaitable<proto::ContainersDone> remove(std::string stack,
                                          proto::ContainersRequest request);  // stopped ones

  // What containers are made from; with one-offs none of theirs.
  awaitable<std::vector<proto::ImageRow>> container_images(std::string stack);
  // What each uses now, containers that do not run with `all` (takes a second).
  awaitable<proto::Stats> stats(std::string stack, std::vector<std::string> services, bool all);
  // The engine's own events of services' containers, as they come; up to `until` when that is given.
  using ContainerEventSink = std::function<awaitable<void>(proto::ContainerEvent)>;
  awaitable<void> container_events(std::string stack, std::vector<std::string> services, std::string since,
                                   std::string until, ContainerEventSink sink);
  // The ends of a container's own command; whoever goes away leaves it running.
  awaitable<proto::ExecResult> attach(std::string stack, proto::AttachRequest request, ExecEnds ends);

  // Files of a container, running or not, as tars that are never held whole.
  awaitable<proto::PathStat> path_stat(std::string stack, ContainerPath what);
  awaitable<void> read_archive(std::string stack, ContainerPath what,
                               std::function<void(proto::PathStat)> begin,
                               std::function<awaitable<void>(std::string_view)> sink);
  // `owners`: as of docker cp -a. `no_wait`: also while an operation of the stack runs.
  awaitable<void> write_archive(std::string stack, ContainerPath where, bool owners, bool no_wait,
                                std::function<awaitable<std::string>()> tar);

  // Runs a command in a service's container, to its end, or until the ends let go of it. One whose ends have
  // gone (the call is cancelled, or throws) is ended in the container. Throws Error(failed) when the service
  // does not run.
  awaitable<proto::ExecResult> exec(std::string stack, proto::ExecRequest request, ExecEnds ends);

  // A one-off: brings up what the service needs, makes a container of its own for the command, and goes on as
  // exec does. One whose ends have gone is stopped; with `remove` it goes then.
  awaitable<proto::ExecResult> run(proto::RunRequest request, ExecEnds ends);

  // The log of a hook's run from byte `from` of all that it ever wrote, in pieces, each with its first byte's
  // place (the oldest may not be kept any more); `follow`: to the end of the run.
  using TextSink = std::function<awaitable<void>(std::uint64_t place, std::string text)>;
  awaitable<void> hook_log(std::string run, std::uint64_t from, bool follow, TextSink sink);

  // Events after `sequence`, as they come, until cancelled or, with an operation, until its end was
  // delivered.
  using EventSink = std::function<awaitable<void>(proto::Event)>;
  awaitable<void> events(std::int64_t sequence, std::string stack, std::string operation, EventSink sink);

  awaitable<proto::Info> info();
  // Removes the images of build hooks that stacks of this daemon had made and none uses any more (`dry_run`:
  // only names them); their tags, or ids when they have none.
  awaitable<std::vector<std::string>> prune(bool dry_run);

private:
  Parts& parts_;
};

}  // namespace stackd::stacks
