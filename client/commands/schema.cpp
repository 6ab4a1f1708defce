// stackctl schema: the JSON Schema of stackd.yaml, or of a compose.yaml with x-stackd. Asks no daemon.
#include "proto/schema.hpp"
#include "client/commands/commands.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {
namespace {

using nlohmann::ordered_json;

// What x-stackd refers to stands there itself, and no longer beside Compose's own keys.
void move_under_x_stackd(ordered_json& properties) {
  auto& own = properties["x-stackd"]["properties"];
  const ordered_json named = own;
  for (const auto& [key, unused] : named.items()) {
    own[key] = properties[key];
    properties.erase(key);
  }
}

}  // namespace

int run_schema(Context& context, bool compose) {
  if (!compose) {
    context.out(proto::stack_file_schema());
    return proto::k_done;
  }
  auto schema = ordered_json::parse(proto::stack_file_schema());
  schema["title"] = "compose.yaml with x-stackd";
  move_under_x_stackd(schema["properties"]);
  move_under_x_stackd(schema["$defs"]["service"]["properties"]);
  context.out(schema.dump(2) + "\n");
  return proto::k_done;
}

}  // namespace stackd::client
