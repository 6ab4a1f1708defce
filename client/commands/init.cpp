// stackctl init: a commented stackd.yaml to begin with.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client/commands/commands.hpp"
#include "client/error.hpp"
#include "client/fd.hpp"

namespace stackd::client {
namespace {

constexpr std::string_view k_template =
    R"yaml(# yaml-language-server: $schema=stackd.schema.json
# (`stackctl schema > stackd.schema.json` writes what this line names: editors then complete and check as you type.)
#
# A stack for stackd: a Compose file with more keys. `stackctl up` brings it up, `stackctl down` takes it away again,
# `stackctl validate` checks this file.

# Containers, written as in Compose.
services:
  web:
    image: nginx:alpine
    ports:
      - "80"                     # no host port given: stackd chooses a free one, `stackctl urls` shows it
    # healthcheck:               # readiness: what depends on web waits until it passes
    #   test: wget -q -O /dev/null http://127.0.0.1/
    # hooks:                     # pre_run runs in the container, before the command, at every start
    #   pre_run: echo starting
    # post_start:                # run in the container once it has started
    #   - command: echo started
    # pre_stop:                  # run in the container before it is stopped
    #   - command: echo stopping

# Processes of this machine. ${…} with a dot in it is stackd's.
# owned:
#   api:
#     cmd: ./run-api             # gets its port in $PORT
#     port: {env: PORT}
#     depends_on: [web]
#     env:
#       WEB_URL: http://127.0.0.1:${services.web.host_port}
#     ready_when:
#       http_get: /health

# Hooks of the whole stack, run on this machine. An entry is a command, or an object with cmd, cwd, env, timeout …
# lifecycle:
#   before_up:                   # before anything starts
#     - ./scripts/check-tools
#   after_up:                    # everything is ready
#     - cmd: ./scripts/migrate
#       timeout: 60s
#   before_down:                 # everything is still alive
#     - ./scripts/dump
#   after_down:                  # everything is gone
#     - ./scripts/tidy

# For every hook, process and `stackctl exec`; `env_files: [.env]` adds files.
# env:
#   LOG_LEVEL: debug

# `stackctl run NAME`.
# commands:
#   page:
#     cmd: curl -s http://127.0.0.1:${services.web.host_port}/
)yaml";

}  // namespace

int run_init(Context& context) {
  const std::string name = context.globals().files.empty() ? "stackd.yaml" : context.globals().files.front();
  Fd file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file && errno == EEXIST)
    throw ClientError(proto::k_bad_usage, name + " is there already: init overwrites nothing");
  if (!file ||
      ::write(file.get(), k_template.data(), k_template.size()) != static_cast<ssize_t>(k_template.size()))
    throw ClientError(proto::k_operation_failed, "cannot write " + name + ": " + std::strerror(errno));
  if (context.json())
    context.document(nlohmann::json{{"file", name}}.dump());
  else
    context.out("wrote " + name + ": edit it, then `stackctl up`\n");
  return proto::k_done;
}

}  // namespace stackd::client
