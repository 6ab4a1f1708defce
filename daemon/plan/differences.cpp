#include "daemon/plan/differences.hpp"

#include <nlohmann/json.hpp>

#include "daemon/util/text.hpp"

namespace stackd::plan {
namespace {

using nlohmann::json;

constexpr std::size_t k_keys_told = 3;

std::string text_of(const json* value) {
  if (!value || value->is_null()) return "";
  if (value->is_string()) return value->get<std::string>();
  return value->dump(-1, ' ', false, json::error_handler_t::replace);
}

const json* find(const json& in, const std::string& key) {
  const auto found = in.find(key);
  return found == in.end() ? nullptr : &*found;
}

void compare(const std::string& key, const json* before, const json* after, std::vector<Change>& into) {
  if (before && after && *before == *after) return;
  const bool mappings = (!before || before->is_object()) && (!after || after->is_object());
  if (!mappings) {
    into.push_back({key, text_of(before), text_of(after)});
    return;
  }
  const json none = json::object();
  const json& old = before ? *before : none;
  const json& now = after ? *after : none;
  const auto below = [&](const std::string& name) { return key.empty() ? name : key + "." + name; };
  const auto count = into.size();
  for (const auto& [name, value] : old.items()) compare(below(name), &value, find(now, name), into);
  for (const auto& [name, value] : now.items())
    if (!old.contains(name)) compare(below(name), nullptr, &value, into);
  // A mapping without keys that came or went.
  if (into.size() == count) into.push_back({key, text_of(before), text_of(after)});
}

}  // namespace

std::vector<Change> differences(const json& before, const json& after) {
  std::vector<Change> changes;
  compare("", &before, &after, changes);
  return changes;
}

std::string keys_of(const std::vector<Change>& changes) {
  std::vector<std::string> keys;
  for (const auto& change : changes) keys.push_back(change.key);
  if (keys.size() <= k_keys_told) return util::join(keys, ", ");
  const auto more = keys.size() - k_keys_told + 1;
  keys.resize(k_keys_told - 1);
  return util::join(keys, ", ") + " and " + std::to_string(more) + " more";
}

}  // namespace stackd::plan
