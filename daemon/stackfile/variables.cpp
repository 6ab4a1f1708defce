#include "daemon/stackfile/variables.hpp"

#include <cctype>
#include <map>

namespace stackd::stackfile {

namespace {

bool is_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}

bool is_part(char c) {
  return is_start(c) || std::isdigit(static_cast<unsigned char>(c));
}

class Finder {
public:
  void look(const yaml::Value& value) {
    if (value.is_scalar()) read(value.text);
    for (const auto& item : value.items) look(item);
    for (const auto& entry : value.entries) look(entry.value);
  }

  std::map<std::string, Variable> found;

private:
  void read(const std::string& text) {
    for (std::size_t at = text.find('$'); at != std::string::npos && at + 1 < text.size();
         at = text.find('$', at)) {
      ++at;
      if (text[at] == '$') {
        ++at;  // a dollar
      } else if (text[at] == '{') {
        const std::size_t end = closing(text, at);
        if (end == std::string::npos) return;
        braced(text.substr(at + 1, end - at - 1));
        at = end + 1;
      } else if (is_start(text[at])) {
        const std::size_t end = end_of_name(text, at);
        found[text.substr(at, end - at)] = {text.substr(at, end - at), false, "", ""};
        at = end;
      }
    }
  }

  // Of the brace at `open`.
  static std::size_t closing(const std::string& text, std::size_t open) {
    int depth = 0;
    for (std::size_t at = open; at < text.size(); ++at) {
      if (text[at] == '{') ++depth;
      if (text[at] == '}' && --depth == 0) return at;
    }
    return std::string::npos;
  }

  static std::size_t end_of_name(const std::string& text, std::size_t at) {
    while (at < text.size() && is_part(text[at])) ++at;
    return at;
  }

  void braced(const std::string& text) {
    const std::size_t end = end_of_name(text, 0);
    if (end == 0 || !is_start(text[0]) || text.compare(end, 1, ".") == 0) return;
    Variable variable{text.substr(0, end), false, "", ""};
    const bool colon = text.compare(end, 1, ":") == 0;
    const char how = end + (colon ? 1 : 0) < text.size() ? text[end + (colon ? 1 : 0)] : '\0';
    const std::string rest = how == '\0' ? "" : text.substr(end + (colon ? 2 : 1));
    variable.required = how == '?';
    if (how == '-') variable.default_value = rest;
    if (how == '+') variable.alternate_value = rest;
    found[variable.name] = variable;
    if (how == '-' || how == '+') read(rest);
  }
};

}  // namespace

std::vector<Variable> variables_in(const yaml::Value& tree) {
  Finder finder;
  finder.look(tree);
  std::vector<Variable> out;
  for (auto& [name, variable] : finder.found) out.push_back(std::move(variable));
  return out;
}

}  // namespace stackd::stackfile
