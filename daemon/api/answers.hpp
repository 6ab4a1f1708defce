// Answers as JSON. Text from outside may be broken UTF-8; it never makes an answer fail.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/http/message.hpp"
#include "proto/types.hpp"

namespace stackd::api {

inline std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline http::Response json_answer(const nlohmann::json& value, int status = 200) {
  return {status, "application/json", dump(value) + "\n", {}};
}

}  // namespace stackd::api
