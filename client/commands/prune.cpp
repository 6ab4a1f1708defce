// stackctl prune: what stackd made and nobody uses any more.
#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {

int run_prune(Context& context) {
  const std::string answer = context.api().post("/v1/prune");
  if (context.json()) {
    context.document(answer);
    return proto::k_done;
  }
  const auto images = nlohmann::json::parse(answer).at("images").get<std::vector<std::string>>();
  for (const auto& image : images) context.out("removed image " + image + "\n");
  if (images.empty()) context.out("nothing to remove\n");
  return proto::k_done;
}

}  // namespace stackd::client
