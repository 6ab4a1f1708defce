#include "daemon/http/target.hpp"

#include "daemon/util/text.hpp"

namespace stackd::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::string_view k_scheme = "http://";

bool is_absolute(std::string_view target) {
  return util::starts_with_icase(target, k_scheme);
}

}  // namespace

std::string_view authority_of(std::string_view target) {
  if (!is_absolute(target)) return {};
  target.remove_prefix(k_scheme.size());
  return target.substr(0, target.find_first_of("/?#"));
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

std::optional<Target> parse_target(std::string_view target) {
  const bool absolute = is_absolute(target);
  if (absolute) target.remove_prefix(k_scheme.size() + authority_of(target).size());
  target = target.substr(0, target.find('#'));
  if (!absolute && (target.empty() || target.front() != '/')) return std::nullopt;
  const auto question = target.find('?');
  Target parsed{std::string(target.substr(0, question)), {}};
  if (parsed.path.empty()) parsed.path = "/";
  if (!percent_decode(parsed.path)) return std::nullopt;
  if (question == std::string_view::npos) return parsed;
  for (const auto& pair : util::split(target.substr(question + 1), '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(std::string_view(pair).substr(0, equals), true);
    auto value =
        percent_decode(equals == std::string::npos ? "" : std::string_view(pair).substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    parsed.query.emplace_back(std::move(*name), std::move(*value));
  }
  return parsed;
}

}  // namespace stackd::http
