// stackctl prune: what stackd made here and nobody uses any more.
#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {
namespace {

constexpr const char* k_dry_run = R"({"dry_run":true})";

std::vector<std::string> images_of(const std::string& answer) {
  return nlohmann::json::parse(answer).at("images").get<std::vector<std::string>>();
}

void list(const Context& context, const std::vector<std::string>& images, const std::string& before) {
  for (const auto& image : images) context.out(before + image + "\n");
  if (images.empty()) context.out("nothing to remove\n");
}

}  // namespace

int run_prune(Context& context, const PruneArgs& args) {
  if (args.dry_run || (!args.yes && !context.json())) {
    const auto answer = context.api().post("/v1/prune", k_dry_run);
    const auto images = images_of(answer);
    if (context.json())
      context.document(answer);
    else
      list(context, images, args.dry_run ? "remove image " : "  image ");
    if (args.dry_run) return images.empty() ? proto::k_done : proto::k_to_do;
    if (images.empty()) return proto::k_done;
    if (!said_yes(context, "Remove " + counted(images.size(), "image"))) return proto::k_cancelled;
  }
  const auto answer = context.api().post("/v1/prune");
  if (context.json())
    context.document(answer);
  else
    list(context, images_of(answer), "removed image ");
  return proto::k_done;
}

}  // namespace stackd::client
