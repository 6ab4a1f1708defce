#include "daemon/compose/short_forms.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::compose {

namespace {

[[noreturn]] void bad_port(const std::string& text, const std::string& why) {
  throw util::Error(util::ErrorKind::invalid_file,
                    "'" + text + "' is not a port: " + why + "; expected [[IP:]HOST:]CONTAINER[/PROTOCOL]");
}

std::optional<int> parse_port(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value < 0 ||
      value > 65535) {
    return std::nullopt;
  }
  return value;
}

int last(const std::pair<int, int>& range) {
  return range.second == 0 ? range.first : range.second;
}

// The part after the last colon that is not inside brackets, taken off `text`.
std::string take_last_part(std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && bracket > colon))
    return std::exchange(text, "");
  std::string part = text.substr(colon + 1);
  text.resize(colon);
  return part;
}

}  // namespace

std::optional<std::vector<std::string>> shell_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool escaped = false, in_word = false;
  bool doubled = false, single = false, back = false, dollar = false;  // within "…", '…', `…`, $(…)
  for (const char c : text) {
    if (escaped) {
      word += c;
      escaped = false;
      in_word = true;
      continue;
    }
    if (c == '\\' && !single) {
      escaped = true;
      continue;
    }
    const bool quoted = doubled || single || back || dollar;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (quoted) {
        word += c;
      } else if (in_word) {
        words.push_back(std::exchange(word, ""));
        in_word = false;
      }
      continue;
    }
    if (c == '"' && !single && !dollar) {
      in_word = in_word || doubled;
      doubled = !doubled;
      continue;
    }
    if (c == '\'' && !doubled && !dollar) {
      in_word = in_word || single;
      single = !single;
      continue;
    }
    if (c == '`' && !single && !doubled && !dollar) back = !back;
    if (c == ')' && !single && !doubled && !back) dollar = !dollar;
    if (c == '(' && !single && !doubled && !back) {
      if (dollar || !word.ends_with('$')) return std::nullopt;
      dollar = true;
    }
    if (!quoted && std::string_view(";&|<>").find(c) != std::string_view::npos) {
      // "2>" names what is redirected, and is no word.
      if (c == '>' && !word.empty() && std::isdigit(static_cast<unsigned char>(word[0]))) in_word = false;
      break;
    }
    in_word = true;
    word += c;
  }
  if (escaped || doubled || single || back || dollar) return std::nullopt;
  if (in_word) words.push_back(word);
  return words;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_windows_path(std::string_view text) {
  if (text.starts_with("\\\\")) return true;
  return text.size() > 2 && std::isalpha(static_cast<unsigned char>(text[0])) && text[1] == ':' &&
         (text[2] == '\\' || text[2] == '/');
}

bool ShortMount::is_path() const {
  const bool drive =
      source.size() > 1 && std::isalpha(static_cast<unsigned char>(source[0])) && source[1] == ':';
  return source.starts_with('.') || source.starts_with('/') || source.starts_with('~') || drive ||
         source.starts_with("\\\\");
}

std::optional<ShortMount> split_short_mount(const std::string& text) {
  // The colon after a drive's letter, and those in a ${…} of stackd's, separate nothing.
  std::vector<std::string> parts(1);
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '$' && i + 1 < text.size() && text[i + 1] == '{') ++depth;
    if (c == '}' && depth > 0) --depth;
    const bool drive = parts.back().size() == 1 && std::isalpha(static_cast<unsigned char>(parts.back()[0]));
    if (c == ':' && depth == 0 && !(drive && text.size() > 2)) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  ShortMount mount;
  if (parts.size() == 1) {
    mount.target = parts[0];
  } else if (parts.size() <= 3) {
    mount.source = parts[0];
    mount.target = parts[1];
    if (mount.source.empty()) return std::nullopt;
    if (parts.size() == 3) mount.options = util::split(parts[2], ',');
  } else {
    return std::nullopt;
  }
  if (mount.target.empty()) return std::nullopt;
  return mount;
}

std::optional<Mount> short_mount(const std::string& text) {
  static constexpr std::array k_propagations{"private", "rprivate", "shared", "rshared", "slave", "rslave"};
  const auto parts = split_short_mount(text);
  if (!parts) return std::nullopt;
  Mount mount;
  mount.target = parts->target;
  mount.type = parts->is_path() ? "bind" : "volume";
  mount.source = parts->source;
  for (const auto& option : parts->options) {
    if (option == "ro")
      mount.read_only = true;
    else if (option == "z" || option == "Z")
      mount.selinux = option;
    else if (option == "nocopy")
      mount.nocopy = true;
    else if (std::find(k_propagations.begin(), k_propagations.end(), option) != k_propagations.end())
      mount.propagation = option;
    // What else stands there has no meaning for Compose either.
  }
  return mount;
}

std::optional<std::pair<int, int>> parse_port_range(const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(std::string_view(text).substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string::npos) return std::pair{*first, 0};
  const auto end = parse_port(std::string_view(text).substr(dash + 1));
  if (!end || *end < *first) return std::nullopt;
  return std::pair{*first, *end == *first ? 0 : *end};
}

std::vector<Port> parse_short_ports(const std::string& text) {
  std::string rest = text;
  Port port;
  if (const std::size_t slash = rest.rfind('/'); slash != std::string::npos) {
    port.protocol = lower_case(rest.substr(slash + 1));
    rest.resize(slash);
    if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp") {
      bad_port(text, "unknown protocol '" + port.protocol + "'");
    }
  }
  const auto target = parse_port_range(take_last_part(rest));
  if (!target || target->first == 0) bad_port(text, "its container port is not a number from 1 to 65535");
  const std::string published_text = take_last_part(rest);
  std::optional<std::pair<int, int>> published{{0, 0}};
  if (!published_text.empty()) published = parse_port_range(published_text);
  if (!published) bad_port(text, "its host port is not a number from 0 to 65535");
  port.host_ip = rest.starts_with('[') && rest.ends_with(']') ? rest.substr(1, rest.size() - 2) : rest;

  const int targets = last(*target) - target->first + 1;
  const int hosts = published->first == 0 ? 0 : last(*published) - published->first + 1;
  if (targets > 1 && hosts > 0 && hosts != targets) bad_port(text, "its two ranges differ in length");
  std::vector<Port> out;
  for (int i = 0; i < targets; ++i) {
    port.target = target->first + i;
    port.published = hosts == 0 ? 0 : published->first + (targets > 1 ? i : 0);
    port.published_end = targets == 1 ? published->second : 0;
    out.push_back(port);
  }
  return out;
}

}  // namespace stackd::compose
