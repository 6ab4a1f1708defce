#include "daemon/http/message.hpp"

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key.size() == name.size() && util::starts_with_icase(key, name)) return value;
  return std::nullopt;
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

const std::string& Request::path_value(std::string_view name) const {
  for (const auto& [key, value] : path_values)
    if (key == name) return value;
  throw util::Error(util::ErrorKind::internal,
                    "cannot answer " + path + ": its route has no {" + std::string(name) + "}");
}

}  // namespace stackd::http
