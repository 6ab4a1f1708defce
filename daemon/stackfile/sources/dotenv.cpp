// `.env` and env_file, by the rules of Compose's own reader: what they are is in docs/compose.md.
#include <algorithm>
#include <cctype>
#include <utility>

#include "daemon/stackfile/sources/interpolate.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr std::size_t k_longest_file = 16 << 20;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}
// Letters of any alphabet count: their bytes are all above 0x7f.
bool in_key(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) > 0x7f ||
         std::string_view("_.-[]").find(c) != std::string_view::npos;
}

void append_utf8(std::string& out, unsigned code) {
  if (code >= 0x80) {
    out += static_cast<char>(0xc0 | (code >> 6));
    code = 0x80 | (code & 0x3f);
  }
  out += static_cast<char>(code);
}

// What stands between double quotes, its escapes resolved: \n and its like, \0 with three octal digits. `\$`
// becomes
// `$$`, of which interpolation makes one dollar; every other backslash stays.
std::string unescaped(const std::string& text) {
  static constexpr std::string_view k_letters = "abfnrtv\"\\";
  static constexpr std::string_view k_values = "\a\b\f\n\r\t\v\"\\";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    const std::size_t letter = next == '\0' ? std::string_view::npos : k_letters.find(next);
    if (letter != std::string_view::npos) {
      out += k_values[letter];
      ++i;
    } else if (next == '$') {
      out += "$$";
      ++i;
    } else if (next == '0') {
      const auto digits = text.find_first_not_of("0123456789", i + 2);
      const auto count = std::min<std::size_t>(std::min(digits, text.size()) - (i + 2), 3);
      const std::string octal = text.substr(i + 2, count);
      const bool good = count == 3 && octal.find_first_not_of("01234567") == std::string::npos &&
                        std::stoi(octal, nullptr, 8) < 256;
      if (good)
        append_utf8(out, static_cast<unsigned>(std::stoi(octal, nullptr, 8)));
      else
        out += "\\" + octal;  // as Compose has it: without the zero
      i += 1 + count;
    } else {
      out += text[i];
    }
  }
  return out;
}

// One file's text, read from front to back.
class DotenvParser {
public:
  DotenvParser(const std::string& text, const std::string& file, const DotenvRules& rules, Problems& problems)
      : text_(text), file_(file), rules_(rules), problems_(problems) {}

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
    const bool alone = now() == '\n';
    if (key.empty() || (!alone && now() != '=' && now() != ':')) {
      at_ = start;
      problem(line, "expected NAME=value, found '" + excerpt(util::trim(rest_of_line())) + "'");
      return;
    }
    if (alone) {
      rest_of_line();
      if (const auto inherited = rules_.lookup(key)) values_[key] = *inherited;
      return;
    }
    ++at_;
    value(key, line);
  }

  void value(const std::string& key, int line) {
    if (rules_.raw) {
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
    text.resize(
        std::min(text.find(" #"), text.size()));  // a # without a blank before it is part of the value
    put(key, std::string(util::trim(text)), line);
  }

  // What follows the closing quote is the next entry, or a comment.
  void quoted(const std::string& key, int line, char quote) {
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        if (text_[at_] != quote) text += '\\';
        if (text_[at_] == '\n') ++line_;
      }
      text += text_[at_];
    }
    if (at_ >= text_.size()) {
      problem(line, "the quote after '" + key + "=' is not closed");
      return;
    }
    ++at_;
    if (quote == '\'')
      values_[key] = text;
    else
      put(key, unescaped(text), line);
  }

  void put(const std::string& key, const std::string& text, int line) {
    const Lookup all = [this](const std::string& name) {
      auto found = rules_.lookup(name);
      if (found) return found;
      if (const auto own = values_.find(name); own != values_.end()) return std::optional(own->second);
      if (!rules_.earlier) return found;
      const auto before = rules_.earlier->find(name);
      return before == rules_.earlier->end() ? found : std::optional(before->second);
    };
    try {
      std::string expanded = interpolate(text, all, [](const std::string&) {});
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
  const DotenvRules& rules_;
  Problems& problems_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::size_t expanded_ = 0;  // bytes of all interpolated values so far
  std::map<std::string, std::string> values_;
};

}  // namespace

std::map<std::string, std::string> parse_dotenv(const std::string& text, const std::string& file,
                                                const DotenvRules& rules, Problems& problems) {
  const std::string clean = util::valid_utf8(text);
  return DotenvParser(clean, file, rules, problems).parse();
}

}  // namespace stackd::stackfile
