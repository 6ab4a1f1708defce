// stackctl nuke: takes every stack down, wherever it is, without its hooks (L5.10): one that cannot succeed
// any more must not be in the way.
#include <unistd.h>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

// Somebody at a terminal may have slipped; a script says what it means, and nothing is asked of it.
bool agreed(const Context& context, const std::vector<proto::Stack>& stacks, bool volumes) {
  if (!::isatty(0)) return true;
  for (const auto& stack : stacks)
    context.out("  " + stack.name + "  " + stack.status + "  " + stack.directory + "\n");
  return said_yes(context,
                  "Take down " + counted(stacks.size(), "stack") + (volumes ? " with their volumes" : ""));
}

}  // namespace

int run_nuke(Context& context, const NukeArgs& args) {
  std::vector<proto::Stack> stacks;
  for (auto& stack : context.api().stacks())
    if (stack.status != "down") stacks.push_back(std::move(stack));
  if (stacks.empty()) {
    if (!context.json()) context.out("nothing is up\n");
    return proto::k_done;
  }
  if (!args.yes && !agreed(context, stacks, args.volumes)) return proto::k_cancelled;

  int worst = proto::k_done;
  for (const auto& stack : stacks) {
    int code = proto::k_operation_failed;
    try {
      code = finish_operation(
          context,
          context.api().down(stack.id, {.volumes = args.volumes, .remove_orphans = true, .no_hooks = true}),
          stack.name + " is down");
    } catch (const ApiError& error) {  // the others still go
      print_error(stack.name + ": " + error.what(), error.details());
      code = error.exit_code();
    }
    if (code == proto::k_cancelled) return code;
    if (code != proto::k_done) worst = code;
  }
  return worst;
}

}  // namespace stackd::client
