#include "client/select.hpp"

#include <algorithm>
#include <utility>

#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

using Stacks = std::vector<const proto::Stack*>;

bool is_at_or_above(const std::string& ancestor, const std::string& directory) {
  if (ancestor.empty()) return false;
  if (ancestor == "/" || ancestor == directory) return true;
  return directory.size() > ancestor.size() && directory[ancestor.size()] == '/' &&
         directory.compare(0, ancestor.size(), ancestor) == 0;
}

// Keeps those for which `holds`, unless that leaves none.
template <class Predicate>
void prefer(Stacks& stacks, Predicate holds) {
  Stacks kept;
  std::copy_if(stacks.begin(), stacks.end(), std::back_inserter(kept),
               [&](const proto::Stack* s) { return holds(*s); });
  if (!kept.empty()) stacks = std::move(kept);
}

std::string names(const Stacks& stacks, bool ids) {
  std::vector<std::string> all;
  for (const auto* stack : stacks) all.push_back(ids ? stack->id : stack->name);
  return join(all, ", ");
}

void keep_nearest(Stacks& stacks, const std::string& directory) {
  std::size_t longest = 0;
  for (const auto* stack : stacks)
    if (is_at_or_above(stack->directory, directory)) longest = std::max(longest, stack->directory.size());
  prefer(stacks, [&](const proto::Stack& stack) {
    return is_at_or_above(stack.directory, directory) && stack.directory.size() == longest;
  });
}

}  // namespace

const proto::Stack& select_stack(const std::vector<proto::Stack>& stacks, const Wanted& wanted) {
  Stacks found;
  for (const auto& stack : stacks) {
    if (!wanted.project.empty() && stack.id == wanted.project) return stack;
    bool matches = wanted.project.empty() ? is_at_or_above(stack.directory, wanted.directory)
                                          : stack.name == wanted.project;
    if (matches) found.push_back(&stack);
  }
  if (found.empty() && !wanted.project.empty()) {
    std::vector<std::string> known;
    for (const auto& stack : stacks) known.push_back(stack.name);
    std::string near = nearest(wanted.project, known);
    throw ClientError(proto::k_not_found,
                      "no stack is called '" + wanted.project + "'" +
                          (near.empty() ? ": `stackctl ls` shows all" : ": did you mean '" + near + "'?"));
  }
  if (found.empty())
    throw ClientError(proto::k_not_found, "no stack here: nothing was brought up in " + wanted.directory +
                                              " or above it (`stackctl ls` shows all)");
  keep_nearest(found, wanted.directory);
  if (!wanted.files.empty())
    prefer(found, [&](const proto::Stack& stack) { return stack.files == wanted.files; });
  prefer(found, [](const proto::Stack& stack) { return stack.status != "down"; });
  if (found.size() > 1 && wanted.project.empty() && wanted.own_name)
    prefer(found, [name = wanted.own_name()](const proto::Stack& stack) { return stack.name == name; });
  if (found.size() > 1)
    throw ClientError(proto::k_bad_usage, "several stacks would do: say which with -p (" +
                                              names(found, !wanted.project.empty()) + ")");
  return *found.front();
}

}  // namespace stackd::client
