// stackctl version: this program's, and the daemon's when one listens. Starts none.
#include "client/commands/commands.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {

int run_version(Context& context, bool brief, bool json) {
  if (brief) {
    context.out(STACKD_VERSION "\n");
    return proto::k_done;
  }
  Api* api = context.api_if_listening();
  if (context.json() || json) {
    nlohmann::json document{{"client", STACKD_VERSION}};
    if (api) document["daemon"] = nlohmann::json::parse(api->get("/v1/version"));
    context.document(document.dump());
    return proto::k_done;
  }
  context.out("stackctl " STACKD_VERSION "\n");
  if (!api) {
    context.out("stackd   not running\n");
    return proto::k_done;
  }
  proto::Info info = api->info();
  std::string engine = info.engine_state == "reachable"
                           ? "engine " + info.engine_version + ", API " + info.engine_api_version
                           : "engine " + info.engine_state;
  context.out("stackd   " + info.version + " (API " + info.api_version + ", " + engine + ")\n");
  return proto::k_done;
}

}  // namespace stackd::client
