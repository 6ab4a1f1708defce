#include "daemon/store/withheld.hpp"

#include <nlohmann/json.hpp>

#include "daemon/util/files.hpp"

namespace stackd::store {
namespace {

std::filesystem::path file_of(Database& db, const std::string& stack) {
  return db.file().parent_path() / "stacks" / stack / "withheld.json";
}

}  // namespace

Withheld::Values Withheld::get(Database& db, const std::string& stack) {
  const auto text = util::read_file_if_there(file_of(db, stack));
  if (!text) return {};
  const auto values = nlohmann::json::parse(*text, nullptr, false);
  return values.is_object() ? values.get<Values>() : Values{};
}

void Withheld::put(Database& db, const std::string& stack, const std::set<std::string>& names,
                   const Values& values) {
  const auto before = get(db, stack);
  auto now = before;
  for (const auto& name : names) {
    const auto found = values.find(name);
    if (found == values.end())
      now.erase(name);
    else
      now[name] = found->second;
  }
  if (now == before) return;
  const auto file = file_of(db, stack);
  util::make_directories(file.parent_path());
  util::write_file(file,
                   nlohmann::json(now).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace stackd::store
