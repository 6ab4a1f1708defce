#include "daemon/world/seen.hpp"

#include <filesystem>

#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::world {
namespace {

namespace fs = std::filesystem;

// A larger one is no password, and masking by it would find nothing.
constexpr std::size_t k_largest_secret = 64 * 1024;

// Empty for what stackd cannot read: it cannot show that either.
std::string secret_in(const std::string& file) {
  try {
    return util::read_user_file(file, {.size = k_largest_secret});
  } catch (const util::Error&) {
    return "";
  }
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

model::Seen look_at_files(const model::Spec& spec, const model::Facts& facts) {
  model::Seen seen;
  const auto directories = resolve::directories(spec, facts);
  for (const auto& directory : directories) {
    std::error_code failed;
    const auto canonical = fs::canonical(directory, failed);
    if (!failed) seen.canonical[directory] = canonical.string();
  }
  const auto top = resolve::canonical(seen, spec.directory);
  for (const auto& directory : directories)
    for (const auto& level : resolve::package_levels(resolve::canonical(seen, directory), top))
      if (is_there(fs::path(level) / "package.json")) seen.node_packages.insert(level);
  for (const auto& [name, secret] : spec.secrets) {
    if (secret.file.empty()) continue;
    auto text = secret_in(secret.file);
    if (!text.empty()) seen.secret_texts.push_back(std::move(text));
  }
  return seen;
}

awaitable<model::Stack> looked_at(async::UserFiles& files, model::Stack stack) {
  auto look = [spec = stack.spec, facts = stack.facts] { return look_at_files(*spec, *facts); };
  auto seen = co_await files.run(look);
  if (seen == stack.facts->seen) co_return stack;
  auto facts = *stack.facts;
  facts.seen = std::move(seen);
  stack.facts = std::make_shared<model::Facts>(std::move(facts));
  co_return stack;
}

}  // namespace stackd::world
