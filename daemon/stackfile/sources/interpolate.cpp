#include "daemon/stackfile/sources/interpolate.hpp"

#include <cctype>
#include <utility>

#include "daemon/util/error.hpp"
#include "daemon/yaml/typed.hpp"

namespace stackd::stackfile {

namespace {

using util::Error;
using util::ErrorKind;

constexpr int k_deepest = 50;
// A value may hold others twice over: a few lines of them can stand for more than there is memory.
constexpr std::size_t k_longest_text = 1 << 20;
constexpr std::size_t k_longest_document = 64 << 20;

bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

[[noreturn]] void invalid(const std::string& text, const std::string& why) {
  throw Error(ErrorKind::invalid_file, "cannot interpolate '" + excerpt(text, 80) + "': " + why +
                                           "; write $$ for a dollar that is meant as it is");
}

[[noreturn]] void too_long(const std::string& text) {
  throw Error(ErrorKind::invalid_file, "cannot interpolate '" + excerpt(text, 80) +
                                           "': with its variables it is longer than " +
                                           std::to_string(k_longest_text) + " bytes");
}

// The closing brace of the `${` at `open`; braces inside count, as in Compose.
std::size_t closing_brace(const std::string& text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string::npos;
}

struct Expansion {
  const Lookup& lookup;
  const std::function<void(const std::string&)>& unset;

  std::string text(const std::string& in, int depth) const {
    if (depth > k_deepest) invalid(in, "it is nested too deeply");
    std::string out;
    for (std::size_t i = 0; i < in.size();) {
      if (out.size() > k_longest_text) too_long(in);
      const char next = i + 1 < in.size() ? in[i + 1] : '\0';
      if (in[i] != '$') {
        out += in[i++];
      } else if (next == '$') {
        out += '$';
        i += 2;
      } else if (starts_name(next)) {
        std::size_t end = i + 1;
        while (end < in.size() && in_name(in[end])) ++end;
        out += value(in.substr(i + 1, end - i - 1));
        i = end;
      } else if (next == '{') {
        const std::size_t end = closing_brace(in, i + 1);
        if (end == std::string::npos) invalid(in, "'${' is not closed");
        out += braced(in.substr(i + 2, end - i - 2), depth);
        i = end + 1;
      } else {
        out += in[i++];  // "$5", "$(…)": no variable's
      }
    }
    if (out.size() > k_longest_text) too_long(in);
    return out;
  }

  std::string value(const std::string& name) const {
    if (auto found = lookup(name)) return *found;
    unset(name);
    return "";
  }

  // What stands between ${ and }.
  std::string braced(const std::string& inner, int depth) const {
    const std::string whole = "${" + inner + "}";
    std::size_t end = 0;
    while (end < inner.size() && in_name(inner[end])) ++end;
    if (end == 0 || !starts_name(inner[0])) invalid(whole, "a variable's name is expected after '${'");
    const std::string name = inner.substr(0, end);
    if (end == inner.size()) return value(name);
    if (inner[end] == '.') return whole;
    const bool empty_counts = inner[end] == ':';  // ":-" and its like take an empty value for an unset one
    const std::size_t at = end + (empty_counts ? 1 : 0);
    const char op = at < inner.size() ? inner[at] : '\0';
    if (op != '-' && op != '?' && op != '+') {
      invalid(whole, "after the name one of :- - :? ? :+ + is expected");
    }
    const std::string word = inner.substr(at + 1);
    const auto found = lookup(name);
    const bool given = found && !(empty_counts && found->empty());
    if (op == '+') return given ? text(word, depth + 1) : "";
    if (given) return *found;
    if (op == '-') return text(word, depth + 1);
    const std::string why = text(word, depth + 1);
    throw Error(ErrorKind::invalid_file,
                "the required variable '" + name + "' is not set" + (why.empty() ? "" : ": " + why));
  }
};

}  // namespace

std::string interpolate(const std::string& text, const Lookup& lookup,
                        const std::function<void(const std::string&)>& unset) {
  if (text.find('$') == std::string::npos) return text;
  return Expansion{lookup, unset}.text(text, 0);
}

void Interpolator::apply(Value& value) {
  for (Value& item : value.items) apply(item);
  for (Entry& entry : value.entries) apply(entry.value);
  if (!value.is_scalar() || expanded_ > k_longest_document) return;
  if (value.text.find('$') == std::string::npos) {
    if (numbers_ == Numbers::as_compose) value.text = typed(value).text;
    return;
  }
  value.plain = false;  // what a variable stands for is a text, whatever it looks like
  try {
    value.text = interpolate(value.text, lookup_, [&](const std::string& name) {
      if (!warned_.insert(name).second) return;
      warnings_.push_back(value.place.file + ":" + std::to_string(value.place.line) + ": the variable '" +
                          name + "' is not set, an empty string stands for it");
    });
    expanded_ += value.text.size();
    if (expanded_ > k_longest_document)
      problems_.add(value.place, "the document is too large once its variables are expanded");
  } catch (const Error& error) {
    problems_.add(value.place, error.what());
  }
}

}  // namespace stackd::stackfile
