#include <cctype>
#include <utility>

#include "daemon/stackfile/interpolate.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

bool in_key(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '[' ||
         c == ']';
}
constexpr std::size_t k_longest_file = 16 << 20;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// One file's text, read from front to back.
class DotenvParser {
public:
  DotenvParser(const std::string& text, const std::string& file, const Lookup& lookup, Problems& problems,
               bool raw)
      : text_(text), file_(file), lookup_(lookup), problems_(problems), raw_(raw) {}

  std::map<std::string, std::string> parse() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    while (at_ < text_.size()) entry();
    return std::move(values_);
  }

private:
  char now() const { return at_ < text_.size() ? text_[at_] : '\n'; }
  void blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  std::string rest_of_line() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string out = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    return out;
  }
  void problem(int line, const std::string& message) { problems_.add({file_, line, 1}, message); }

  std::string word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && in_key(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  void entry() {
    blanks();
    if (now() == '\n' || now() == '#') {
      rest_of_line();
      return;
    }
    const int line = line_;
    const std::size_t start = at_;
    std::string key = word();
    if (key == "export" && is_blank(now())) {
      blanks();
      key = word();
    }
    blanks();
    if (key.empty() || (now() != '=' && now() != ':' && now() != '\n' && now() != '#')) {
      at_ = start;
      problem(line, "expected NAME=value, found '" + excerpt(util::trim(rest_of_line())) + "'");
      return;
    }
    if (now() == '\n' || now() == '#') {
      rest_of_line();
      if (const auto inherited = lookup_(key)) values_[key] = *inherited;
      return;
    }
    ++at_;
    value(key, line);
  }

  void value(const std::string& key, int line) {
    if (raw_) {
      std::string text = rest_of_line();
      if (text.ends_with('\r')) text.pop_back();
      values_[key] = text;
      return;
    }
    blanks();
    if (now() == '\'' || now() == '"') {
      quoted(key, line, now());
      return;
    }
    std::string text = rest_of_line();
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '#' && (i == 0 || is_blank(text[i - 1]))) text.resize(i);
    }
    put(key, std::string(util::trim(text)), line);
  }

  void quoted(const std::string& key, int line, char quote) {
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        escape(text, quote);
      } else {
        text += text_[at_];
      }
    }
    if (at_ >= text_.size()) {
      problem(line, "the quote after '" + key + "=' is not closed");
      return;
    }
    ++at_;
    const std::string rest(util::trim(rest_of_line()));
    if (!rest.empty() && !rest.starts_with('#')) {
      problem(line,
              "expected the end of the line after the value of '" + key + "', found '" + excerpt(rest) + "'");
    } else if (quote == '\'') {
      values_[key] = text;
    } else {
      put(key, text, line);
    }
  }

  // `at_` is on the backslash; afterwards on the last character of what it read.
  void escape(std::string& out, char quote) {
    const char next = text_[at_ + 1];
    static constexpr std::string_view k_letters = "abfnrtv\"\\";
    static constexpr std::string_view k_values = "\a\b\f\n\r\t\v\"\\";
    const std::size_t letter = k_letters.find(next);
    if (quote == '\'') {
      if (next != '\'') {
        out += '\\';
        return;
      }
      out += "\\'";
    } else if (next == '$') {
      out += "$$";  // interpolation makes one of them
    } else if (letter != std::string_view::npos) {
      out += k_values[letter];
    } else {
      out += '\\';
      return;
    }
    ++at_;
  }

  void put(const std::string& key, const std::string& text, int line) {
    const Lookup both = [this](const std::string& name) {
      auto found = lookup_(name);
      const auto own = values_.find(name);
      if (!found && own != values_.end()) found = own->second;
      return found;
    };
    try {
      std::string expanded = interpolate(text, both, [](const std::string&) {});
      expanded_ += expanded.size();
      // As with aliases: lines that hold the one before them twice.
      if (expanded_ > k_longest_file)
        throw util::Error(util::ErrorKind::invalid_file,
                          "the values are too long once their variables are expanded");
      values_[key] = std::move(expanded);
    } catch (const util::Error& error) {
      problem(line, error.what());
    }
  }

  const std::string& text_;
  const std::string& file_;
  const Lookup& lookup_;
  Problems& problems_;
  bool raw_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::size_t expanded_ = 0;  // bytes of all interpolated values so far
  std::map<std::string, std::string> values_;
};

}  // namespace

std::map<std::string, std::string> parse_dotenv(const std::string& text, const std::string& file,
                                                const Lookup& lookup, Problems& problems, bool raw) {
  const std::string clean = util::valid_utf8(text);
  return DotenvParser(clean, file, lookup, problems, raw).parse();
}

}  // namespace stackd::stackfile
