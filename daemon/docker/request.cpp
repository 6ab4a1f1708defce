#include "daemon/docker/request.hpp"

#include <algorithm>

namespace stackd::docker {
namespace {

std::string encode(std::string_view text, std::string_view kept) {
  constexpr char k_digits[] = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size() + 16);
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || kept.find(c) != kept.npos;
    if (plain) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += k_digits[byte >> 4];
    result += k_digits[byte & 15];
  }
  return result;
}

}  // namespace

std::optional<std::chrono::milliseconds> stop_limit(std::optional<int> asked, std::optional<int> own) {
  constexpr int k_engine_grace = 10;
  const auto seconds = asked ? *asked : own.value_or(k_engine_grace);
  if (seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds) + std::chrono::minutes(10);
}

std::string segment(std::string_view text) {
  return encode(text, "/:@");
}

std::string brief(std::string_view id) {
  constexpr std::size_t k_id_digits = 64, k_shown = 12;
  const bool is_id = id.size() == k_id_digits && id.find_first_not_of("0123456789abcdef") == id.npos;
  return std::string(is_id ? id.substr(0, k_shown) : id);
}

Query& Query::add(std::string_view key, std::string_view value) {
  text_ += text_.empty() ? '?' : '&';
  text_.append(encode(key, "")).append("=").append(encode(value, ""));
  return *this;
}

Query& Query::add_if(bool condition, std::string_view key) {
  return condition ? add(key, "1") : *this;
}

Query& Query::filters(const Filters& filters) {
  if (filters.empty()) return *this;
  auto object = nlohmann::json::object();
  for (const auto& [key, value] : filters) object[key].push_back(value);
  return add("filters", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string request_head(const Request& request, std::string_view api_version, std::string_view host,
                         bool chunked) {
  std::string head;
  head.reserve(256 + request.path.size());
  head.append(request.method).append(" ");
  if (request.versioned) head.append("/v").append(api_version);
  head.append(request.path).append(" HTTP/1.1\r\nHost: ").append(host);
  head.append("\r\nUser-Agent: stackd/" STACKD_VERSION "\r\n");
  if (request.upgrade) head.append("Connection: Upgrade\r\nUpgrade: tcp\r\n");
  if (!request.registry_auth.empty())
    head.append("X-Registry-Auth: ").append(request.registry_auth).append("\r\n");
  const bool has_body = chunked || !request.body.empty();
  if (has_body) head.append("Content-Type: ").append(request.content_type).append("\r\n");
  if (chunked) {
    head.append("Transfer-Encoding: chunked\r\n");
  } else if (has_body || request.method != "GET") {
    head.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  return head.append("\r\n");
}

}  // namespace stackd::docker
