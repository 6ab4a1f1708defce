#include "daemon/steps/common/hook_images.hpp"

#include <algorithm>

#include "daemon/translate/build_hooks.hpp"
#include "daemon/translate/images.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {

using util::Error;
using util::ErrorKind;

awaitable<std::set<std::string>> hook_image_tags(Tools& tools, model::Stack stack) {
  std::set<std::string> tags;
  for (const auto& service : stack.spec->services) {
    if (!service.container || !translate::has_build_hooks(service)) continue;
    const auto base = co_await tools.engine.inspect_image(translate::image_of(*stack.spec, service));
    if (!base) continue;
    const auto hooks = translate::build_hooks(*stack.spec, *stack.facts, service, "");
    if (!hooks.empty()) tags.insert(translate::derived_tag(service, hooks, translate::facts_of(*base)));
  }
  co_return tags;
}

awaitable<std::set<std::string>> hook_image_tags_in_use(Tools& tools, std::string except) {
  auto query = [](store::Database& db) { return store::Stacks::all(db); };
  const auto rows = co_await tools.journal.run(query);
  std::set<std::string> tags;
  for (const auto& row : rows) {
    if (row.id == except || row.status == "down") continue;
    const auto stack = co_await tools.models.get(row.id);
    const auto own = co_await hook_image_tags(tools, stack);
    tags.insert(own.begin(), own.end());
  }
  co_return tags;
}

namespace {

// Names of images with hooks on them, and ids of those that have no name: what a build left that was cut
// short.
awaitable<std::set<std::string>> hook_images(Tools& tools, std::set<std::string> stacks) {
  const docker::Filters filters{{"label", translate::k_hooks_label}};
  const auto images = co_await tools.engine.list_images(filters);
  std::set<std::string> found;
  for (const auto& image : images) {
    const auto maker = image.labels.find(translate::label::k_stack);
    if (maker == image.labels.end() || !stacks.contains(maker->second)) continue;
    bool named = false;
    for (const auto& tag : image.tags) {
      if (tag.starts_with("<none>")) continue;  // what the engine calls no name at all
      named = true;
      found.insert(tag);
    }
    // A build that runs now stands on images without a name.
    if (!named && tools.deriving->names.empty()) found.insert(image.id);
  }
  co_return found;
}

}  // namespace

awaitable<std::set<std::string>> unused_hook_images(Tools& tools, std::set<std::string> stacks,
                                                    std::set<std::string> kept) {
  auto found = co_await hook_images(tools, std::move(stacks));
  std::erase_if(found, [&](const std::string& image) { return kept.contains(image); });
  co_return found;
}

awaitable<std::vector<std::string>> remove_hook_images(Tools& tools, std::set<std::string> stacks,
                                                       std::set<std::string> more,
                                                       std::set<std::string> kept) {
  std::vector<std::string> removed;
  // An image goes with the last one that stands on it, but for one that the engine is just removing (E5): so
  // until there is nothing more to remove.
  for (std::size_t before = 0;; before = removed.size(), more.clear()) {
    auto wanted = co_await hook_images(tools, stacks);
    wanted.merge(more);
    for (const auto& image : wanted) {
      if (kept.contains(image)) continue;
      try {
        const auto there = co_await tools.engine.inspect_image(image);
        if (!there) continue;
        co_await tools.engine.remove_image(image);
        removed.push_back(image);
      } catch (const Error& e) {
        // A container runs it, of a stack that is known here or not, or another image stands on it; or it
        // went with one that was removed before it, which the engine does not always call "not found".
        if (e.kind() == ErrorKind::no_engine || e.kind() == ErrorKind::cancelled) throw;
      }
    }
    if (removed.size() == before) co_return removed;
  }
}

}  // namespace stackd::steps
