#include "daemon/api/routes.hpp"

#include "daemon/api/handler.hpp"
#include "proto/frames.hpp"

namespace stackd::api {

// system.cpp
Answer ping(Manager& manager, http::Request request);
Answer version(Manager& manager, http::Request request);
Answer info(Manager& manager, http::Request request);
Answer prune(Manager& manager, http::Request request);
Answer shut_down(std::function<void()> stop, http::Request request);
Answer schema(Manager& manager, http::Request request);
Answer metrics(Manager& manager, std::chrono::steady_clock::time_point started, http::Request request);

// stacks.cpp
Answer list_stacks(Manager& manager, http::Request request);
Answer bring_up(Manager& manager, http::Request request);
Answer images(Manager& manager, http::Request request);
Answer bake(Manager& manager, http::Request request);
Answer get_stack(Manager& manager, http::Request request);
Answer take_down(Manager& manager, http::Request request);
Answer stop_stack(Manager& manager, http::Request request);
Answer start_stack(Manager& manager, http::Request request);
Answer restart_stack(Manager& manager, http::Request request);
Answer roll_back(Manager& manager, http::Request request);
Answer run_hooks(Manager& manager, http::Request request);
Answer reset_hooks(Manager& manager, http::Request request);
Answer forget_stack(Manager& manager, http::Request request);
Answer stack_environment(Manager& manager, http::Request request);
Answer wait_for_stack(Manager& manager, http::Request request);
Answer stack_top(Manager& manager, http::Request request);
Answer plan_wish(Manager& manager, http::Request request);
Answer validate(Manager& manager, http::Request request);
Answer resolved_config(Manager& manager, http::Request request);
Answer service_graph(Manager& manager, http::Request request);

// containers.cpp
Answer list_containers(Manager& manager, http::Request request);
Answer list_volumes(Manager& manager, http::Request request);
Answer kill_containers(Manager& manager, http::Request request);
Answer pause_containers(Manager& manager, http::Request request);
Answer unpause_containers(Manager& manager, http::Request request);
Answer remove_containers(Manager& manager, http::Request request);

Answer container_images(Manager& manager, http::Request request);
awaitable<void> stats(Manager& manager, Options options, http::Request request, http::ResponseWriter& writer);
awaitable<void> container_events(Manager& manager, Options options, http::Request request,
                                 http::ResponseWriter& writer);

// archives.cpp
Answer path_stat(Manager& manager, http::Request request);
awaitable<void> read_archive(Manager& manager, Options options, http::Request request,
                             http::ResponseWriter& writer);
Answer write_archive(Manager& manager, http::Request request, http::RequestBody& body);

// exec.cpp
Answer exec(Manager& manager, http::Request request);
awaitable<void> exec_frames(Manager& manager, http::Request request, http::Duplex& duplex);
Answer attach(Manager& manager, http::Request request);
awaitable<void> attach_frames(Manager& manager, http::Request request, http::Duplex& duplex);
Answer run(Manager& manager, http::Request request);
awaitable<void> run_frames(Manager& manager, http::Request request, http::Duplex& duplex);

// commands.cpp
Answer list_commands(Manager& manager, http::Request request);
Answer surroundings(Manager& manager, http::Request request);

// operations.cpp
Answer list_operations(Manager& manager, http::Request request);
Answer get_operation(Manager& manager, http::Request request);
Answer cancel_operation(Manager& manager, http::Request request);

// hooks.cpp
Answer list_hooks(Manager& manager, http::Request request);
awaitable<void> hook_log(Manager& manager, http::Request request, http::ResponseWriter& writer);

// events.cpp
awaitable<void> operation_events(Manager& manager, Options options, http::Request request,
                                 http::ResponseWriter& writer);
awaitable<void> all_events(Manager& manager, Options options, http::Request request,
                           http::ResponseWriter& writer);

// logs.cpp
awaitable<void> service_logs(Manager& manager, Options options, http::Request request,
                             http::ResponseWriter& writer);

http::Router make_router(Manager& manager, Options options) {
  using http::Request;
  using http::ResponseWriter;
  const auto call = [&manager](Answer (*handler)(Manager&, Request)) -> http::Handler {
    return [&manager, handler](Request request) { return handler(manager, std::move(request)); };
  };
  const auto stream = [&manager, options](awaitable<void> (*handler)(
                          Manager&, Options, Request, ResponseWriter&)) -> http::StreamHandler {
    return [&manager, options, handler](Request request, ResponseWriter& writer) {
      return handler(manager, options, std::move(request), writer);
    };
  };
  const auto frames =
      [&manager](awaitable<void> (*handler)(Manager&, Request, http::Duplex&)) -> http::DuplexHandler {
    return [&manager, handler](Request request, http::Duplex& duplex) {
      return handler(manager, std::move(request), duplex);
    };
  };
  const http::UploadHandler unpack = [&manager](Request request, http::RequestBody& body) {
    return write_archive(manager, std::move(request), body);
  };
  const http::StreamHandler follow_hook = [&manager](Request request, ResponseWriter& writer) {
    return hook_log(manager, std::move(request), writer);
  };
  const http::Handler measure = [&manager, started = std::chrono::steady_clock::now()](Request request) {
    return metrics(manager, started, std::move(request));
  };
  const http::Handler stop = [stop = options.stop](Request request) {
    return shut_down(stop, std::move(request));
  };
  constexpr bool waits = true;  // with ?wait=1 until an operation has ended; or for somebody's files
  return http::Router({
      {"GET", "/v1/ping", call(ping)},
      {"GET", "/v1/version", call(version)},
      {"GET", "/v1/info", call(info)},
      {"GET", "/v1/stacks", call(list_stacks)},
      {"POST", "/v1/stacks", call(bring_up), nullptr, waits},
      {"GET", "/v1/stacks/{id}", call(get_stack)},
      {"DELETE", "/v1/stacks/{id}", call(forget_stack)},
      {"POST", "/v1/stacks/{id}/down", call(take_down), nullptr, waits},
      {"POST", "/v1/stacks/{id}/stop", call(stop_stack), nullptr, waits},
      {"POST", "/v1/stacks/{id}/start", call(start_stack), nullptr, waits},
      {"POST", "/v1/stacks/{id}/restart", call(restart_stack), nullptr, waits},
      {"POST", "/v1/stacks/{id}/rollback", call(roll_back), nullptr, waits},
      {"GET", "/v1/stacks/{id}/hooks", call(list_hooks)},
      {"POST", "/v1/stacks/{id}/hooks/run", call(run_hooks), nullptr, waits},
      {"POST", "/v1/stacks/{id}/hooks/reset", call(reset_hooks)},
      {"GET", "/v1/stacks/{id}/logs", nullptr, stream(service_logs)},
      {"GET", "/v1/stacks/{id}/env", call(stack_environment)},
      {"GET", "/v1/stacks/{id}/top", call(stack_top)},
      {"GET", "/v1/stacks/{id}/containers", call(list_containers)},
      {"GET", "/v1/stacks/{id}/volumes", call(list_volumes)},
      {"GET", "/v1/stacks/{id}/images", call(container_images)},
      {"GET", "/v1/stacks/{id}/stats", nullptr, stream(stats)},
      {"GET", "/v1/stacks/{id}/container-events", nullptr, stream(container_events)},
      {"GET", "/v1/stacks/{id}/path", call(path_stat)},
      {"GET", "/v1/stacks/{id}/archive", nullptr, stream(read_archive)},
      {"PUT", "/v1/stacks/{id}/archive", nullptr, nullptr, waits, {}, nullptr, unpack},
      {"POST", "/v1/stacks/{id}/kill", call(kill_containers), nullptr, waits},
      {"POST", "/v1/stacks/{id}/pause", call(pause_containers), nullptr, waits},
      {"POST", "/v1/stacks/{id}/unpause", call(unpause_containers), nullptr, waits},
      {"POST", "/v1/stacks/{id}/rm", call(remove_containers), nullptr, waits},
      {"GET", "/v1/stacks/{id}/wait", call(wait_for_stack), nullptr, waits},
      {"POST", "/v1/stacks/{id}/exec", call(exec), nullptr, waits, proto::k_stream_protocol,
       frames(exec_frames)},
      {"POST", "/v1/stacks/{id}/attach", call(attach), nullptr, waits, proto::k_stream_protocol,
       frames(attach_frames)},
      {"POST", "/v1/run", call(run), nullptr, waits, proto::k_stream_protocol, frames(run_frames)},
      {"POST", "/v1/images", call(images), nullptr, waits},
      {"POST", "/v1/bake", call(bake), nullptr, waits},
      {"GET", "/v1/operations", call(list_operations)},
      {"GET", "/v1/operations/{id}", call(get_operation)},
      {"POST", "/v1/operations/{id}/cancel", call(cancel_operation), nullptr, waits},
      {"GET", "/v1/operations/{id}/events", nullptr, stream(operation_events)},
      {"GET", "/v1/events", nullptr, stream(all_events)},
      {"GET", "/v1/hooks/{run}/log", nullptr, follow_hook},
      {"POST", "/v1/plan", call(plan_wish), nullptr, waits},
      {"POST", "/v1/validate", call(validate), nullptr, waits},
      {"POST", "/v1/config", call(resolved_config), nullptr, waits},
      {"POST", "/v1/graph", call(service_graph), nullptr, waits},
      {"POST", "/v1/commands", call(list_commands), nullptr, waits},
      {"POST", "/v1/environment", call(surroundings), nullptr, waits},
      {"POST", "/v1/prune", call(prune)},
      {"POST", "/v1/shutdown", stop},
      {"GET", "/v1/schema", call(schema)},
      {"GET", "/metrics", measure},
  });
}

}  // namespace stackd::api
