// Query: a request's query parameters, read strictly. Throws `invalid_request` that names the parameter.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/message.hpp"

namespace stackd::api {

// How long a list may be asked for; each has a default of its own.
constexpr int k_most_listed = 10000;

class Query {
public:
  // A parameter that is not among `known` is refused: a slip of the hand must not be taken for a default.
  Query(const http::Request& request, std::initializer_list<std::string_view> known);

  // "?follow", "?follow=1", true, yes; 0, false, no.
  bool flag(std::string_view name) const;
  std::string text(std::string_view name, std::string fallback = "") const;
  // Every value of a parameter that may be repeated, or be a list with commas.
  std::vector<std::string> list(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) const;

private:
  const http::Parameters& parameters_;
};

// A whole number between the two, or `invalid_request` "<what> must be …".
std::int64_t parse_integer(std::string_view text, const std::string& what, std::int64_t least,
                           std::int64_t most);

// A time, seconds since 1970 or how long ago, as Docker's own --since has them, as the engine takes it; ""
// stays. `name`: the parameter's.
std::string engine_time(const std::string& text, const char* name);

}  // namespace stackd::api
