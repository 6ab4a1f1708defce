#include "daemon/http/router.hpp"

#include <algorithm>
#include <optional>

#include "daemon/http/target.hpp"
#include "daemon/util/text.hpp"

namespace stackd::http {
namespace {

bool is_name(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::optional<Parameters> match(const std::vector<std::string>& pattern,
                                const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  Parameters values;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    auto text = percent_decode(segments[i]);
    if (!text) return std::nullopt;
    if (is_name(pattern[i])) {
      if (text->empty()) return std::nullopt;
      values.emplace_back(pattern[i].substr(1, pattern[i].size() - 2), std::move(*text));
    } else if (pattern[i] != *text) {
      return std::nullopt;
    }
  }
  return values;
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const auto& route : routes_) entries_.push_back({util::split(route.pattern, '/')});
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  const auto segments = util::split(path, '/');
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::vector<std::string> allowed;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto values = match(entries_[i].segments, segments);
    if (!values) continue;
    if (routes_[i].method == wanted) return {&routes_[i], std::move(*values), ""};
    allowed.emplace_back(routes_[i].method);
    if (routes_[i].method == "GET") allowed.emplace_back("HEAD");
  }
  std::sort(allowed.begin(), allowed.end());
  allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
  return {nullptr, {}, util::join(allowed, ", ")};
}

}  // namespace stackd::http
