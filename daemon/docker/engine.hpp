// Engine: the Docker Engine (or Podman's compatible API) behind a Unix socket or tcp://, in our own structs.
// HTTP/1.1 over kept-alive connections, version negotiated once and again after the engine was away. Control
// thread only. Every call throws Error: no_engine (cannot connect), not_found (404), conflict (409), engine
// (anything else, with the engine's own words), timed_out. Bodies of requests that create things are the
// engine's own JSON (translate/ builds them), so that a new Compose key costs one line there and none here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/async/asio.hpp"
#include "daemon/docker/types.hpp"

namespace stackd::docker {

// Called for each piece as it arrives, in order; nothing more is read before it returns, so a slow one makes
// the engine wait.
using OutputSink = std::function<awaitable<void>(Stream, std::string_view)>;
using LineSink = std::function<awaitable<void>(std::string line)>;
// Reads the next piece of a request body; empty at the end. Called on the control thread, so pieces are made
// ready before.
using BodySource = std::function<awaitable<std::string>()>;

class Http;
class Attached;  // docker/attached.hpp
class Ending;    // the same

// What was done to a container.
enum class Done { created, started, stopped, paused, unpaused, renamed, removed };

class Engine {
public:
  // `host`: unix:///path or tcp://host:port; empty is unix:///var/run/docker.sock. Throws invalid_request for
  // others.
  Engine(asio::any_io_executor executor, std::string host);
  ~Engine();

  const std::string& host() const;
  // Connects and negotiates when that has not been done since the engine was last lost.
  awaitable<EngineVersion> version();
  // What was negotiated last, nothing before.
  const std::optional<EngineVersion>& known_version() const;

  // Called after the engine has done what it was asked: its own event of that may come later than the answer.
  // `name`: the new one of what was renamed.
  std::function<void(const std::string& container, Done what, const std::string& name)> on_done;

  // containers
  awaitable<std::vector<ContainerSummary>> list_containers(Filters filters);
  awaitable<std::optional<ContainerDetails>> inspect_container(std::string id);
  awaitable<std::string> create_container(std::string name, nlohmann::json body, std::string platform = "");
  awaitable<void> start_container(std::string id);                             // already running is success
  awaitable<void> stop_container(std::string id, std::optional<int> seconds);  // already stopped is success
  awaitable<void> kill_container(std::string id, std::string signal);          // not running is success
  awaitable<void> pause_container(std::string id);
  awaitable<void> unpause_container(std::string id);
  awaitable<void> rename_container(std::string id, std::string name);
  awaitable<void> set_restart_policy(std::string id, std::string policy, int retries);  // of on-failure
  awaitable<void> remove_container(std::string id, bool force, bool volumes);           // gone is success
  awaitable<int> wait_container(std::string id);  // until not running; exit code
  // Its output and (`input`) input from now on, before it is started or while it runs.
  awaitable<std::unique_ptr<Attached>> attach_container(std::string id, bool tty, bool input);
  // The end of its next run, or (`removed`) that it is gone then: nothing is missed once this has returned.
  awaitable<std::unique_ptr<Ending>> ending_of(std::string id, bool removed);
  awaitable<void> resize_container(std::string id, int rows, int columns);
  awaitable<void> put_archive(std::string id, std::string path, std::string tar);
  // What a path of a container is, as the engine's X-Docker-Container-Path-Stat has it (base64); not_found.
  awaitable<std::string> path_stat(std::string id, std::string path);
  // A path of it as a tar, as it comes; `stat` is called first, with what path_stat() says.
  awaitable<void> get_archive(std::string id, std::string path, std::function<void(std::string stat)> begin,
                              std::function<awaitable<void>(std::string_view)> sink);
  // A tar of any length, unpacked in a directory; `owners`: the engine's copyUIDGID, as of docker cp -a.
  awaitable<void> put_archive(std::string id, std::string path, bool owners, BodySource tar);
  awaitable<bool> has_path(std::string id, std::string path);  // in the container's files; it need not run
  awaitable<void> logs(std::string id, bool tty, LogOptions options, OutputSink sink);
  awaitable<Usage> usage(std::string id);

  // exec: run to its end, output handed over as it arrives and (when no sink is given) kept. Cancelled, it
  // goes on in the container: `id` is told as soon as there is one, for who wants to end it.
  awaitable<ExecResult> exec(std::string container, ExecConfig config, OutputSink sink = nullptr,
                             std::shared_ptr<std::string> id = nullptr);
  awaitable<std::optional<ExecState>> inspect_exec(std::string id);
  // The same in steps, for who has its input as well.
  awaitable<std::string> create_exec(std::string container, ExecConfig config);
  awaitable<std::unique_ptr<Attached>> start_exec(std::string id, bool tty);
  awaitable<void> start_exec_detached(std::string id, bool tty);
  awaitable<int> exec_exit_code(std::string id);  // of one whose output has ended
  awaitable<void> resize_exec(std::string id, int rows, int columns);

  // networks and volumes
  awaitable<std::vector<NetworkDetails>> list_networks(Filters filters);
  awaitable<std::string> create_network(nlohmann::json body);
  awaitable<std::optional<NetworkDetails>> inspect_network(std::string id);
  awaitable<void> connect_network(std::string network, nlohmann::json body);
  awaitable<void> disconnect_network(std::string network, std::string container);  // not there is success
  awaitable<void> remove_network(std::string id);                                  // gone is success
  awaitable<std::vector<VolumeDetails>> list_volumes(Filters filters);
  awaitable<void> create_volume(nlohmann::json body);  // there already is success
  awaitable<std::optional<VolumeDetails>> inspect_volume(std::string name);
  awaitable<void> remove_volume(std::string name);  // gone is success; in use is conflict

  // images
  awaitable<std::optional<ImageDetails>> inspect_image(std::string reference);
  // `auth`: what X-Registry-Auth takes, "" for nobody.
  awaitable<void> pull_image(std::string reference, std::string platform, std::string auth,
                             LineSink progress);
  awaitable<void> push_image(std::string reference, std::string auth, LineSink progress);
  // The classic builder. `context` is a tar stream. Returns the image's id; a failing step is Error(failed)
  // with the builder's words and, in details, the last output lines.
  awaitable<std::string> build_image(BodySource context, BuildOptions options, LineSink output);
  // Whether its images are containerd's: then it builds for several platforms, with attestations.
  awaitable<bool> has_containerd_store();
  // Of what the registry has under this name now ("sha256:…"); nothing is pulled. `auth` as of a pull.
  awaitable<std::string> registry_digest(std::string reference, std::string auth);
  awaitable<void> tag_image(std::string id, std::string repository, std::string tag);
  awaitable<void> remove_image(std::string reference);  // gone is success; in use is conflict
  awaitable<std::vector<ImageSummary>> list_images(Filters filters);

  // The engine's events, until the stream ends (the engine went away: Error no_engine) or the caller is
  // cancelled.
  awaitable<void> events(Filters filters, std::optional<std::string> since,
                         std::function<void(const Event&)> sink);
  // The same for who has them told on, up to `until` when that is given: no more is read while the sink is
  // busy.
  awaitable<void> tell_events(Filters filters, std::string since, std::string until,
                              std::function<awaitable<void>(Event)> sink);

private:
  void done(const std::string& container, Done what, const std::string& name = "") const {
    if (on_done) on_done(container, what, name);
  }
  std::unique_ptr<Http> http_;
};

}  // namespace stackd::docker
