#include "daemon/yaml/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::yaml {

namespace {

std::string found(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::scalar:
      return "'" + excerpt(value.text) + "'";
    case Value::Kind::sequence:
      return "a list";
    case Value::Kind::mapping:
      return "a mapping";
  }
  return "";
}

std::string expected(const std::string& what, std::string_view wanted, const Value& value) {
  return what + ": expected " + std::string(wanted) + ", found " + found(value);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "y" || word == "t" || word == "1")
    return true;
  if (word == "false" || word == "no" || word == "off" || word == "n" || word == "f" || word == "0")
    return false;
  return std::nullopt;
}

std::optional<long long> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

constexpr std::int64_t k_second = 1'000'000'000;

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Longer names before those that they begin with.
constexpr Unit k_units[]{{"ns", 1},
                         {"us", 1000},
                         {"µs", 1000},
                         {"ms", 1'000'000},
                         {"s", k_second},
                         {"m", 60 * k_second},
                         {"h", 3600 * k_second},
                         {"d", 86400 * k_second},
                         {"w", 604800 * k_second}};

// K=V entries of a list, or a mapping's. A key given twice in a list: the later one wins, as in Compose.
template <class Put>
void read_pairs(const Value& value, const std::string& what, Problems& problems, Put put) {
  if (value.is_null()) return;
  if (value.is_mapping()) {
    for (const Entry& entry : value.entries) {
      if (entry.value.is_null()) {
        put(entry.key, std::nullopt);
      } else if (auto text = scalar(entry.value, what + "." + entry.key, problems)) {
        put(entry.key, std::move(text));
      }
    }
  } else if (value.is_sequence()) {
    for (const Value& item : value.items) {
      const auto text = scalar(item, what, problems);
      if (!text) continue;
      const std::size_t equals = text->find('=');
      if (equals == 0 || text->empty()) {
        problems.add(item.place, what + ": expected NAME=value, found '" + *text + "'");
      } else if (equals == std::string::npos) {
        put(*text, std::nullopt);
      } else {
        put(text->substr(0, equals), text->substr(equals + 1));
      }
    }
  } else {
    problems.add(value.place, expected(what, "a mapping or a list of NAME=value", value));
  }
}

// Each once: they are offered in a message.
void know(std::vector<std::string>& known, std::string_view key) {
  if (std::find(known.begin(), known.end(), key) == known.end()) known.emplace_back(key);
}

}  // namespace

std::optional<long long> parse_bytes(const std::string& text) {
  const std::size_t end = text.find_first_not_of("+-.0123456789");
  const auto number = parse_number(text.substr(0, end));
  if (!number) return std::nullopt;
  std::string unit = end == std::string::npos ? "" : lower(util::trim(text.substr(end)));
  if (unit.size() > 1 && unit.ends_with("ib")) unit.resize(unit.size() - 2);
  if (unit.size() > 1 && unit.ends_with('b')) unit.pop_back();
  static constexpr std::string_view k_units = "kmgtp";
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    const std::size_t power = unit.size() == 1 ? k_units.find(unit[0]) : std::string_view::npos;
    if (power == std::string_view::npos) return std::nullopt;
    factor = std::pow(1024.0, static_cast<double>(power + 1));
  }
  const double bytes = *number * factor;
  if (std::abs(bytes) > 9e18) return std::nullopt;
  return static_cast<long long>(bytes);
}

std::optional<std::int64_t> parse_span(const std::string& text) {
  std::string_view rest = util::trim(text);
  double sign = 1;
  if (rest.starts_with('-') || rest.starts_with('+')) {
    sign = rest[0] == '-' ? -1 : 1;
    rest.remove_prefix(1);
  }
  if (rest == "0") return 0;
  if (rest.empty()) return std::nullopt;
  long double total = 0;
  while (!rest.empty()) {
    double number = 0;
    const auto read =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (read.ec != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    const Unit* unit = std::find_if(std::begin(k_units), std::end(k_units),
                                    [&](const Unit& one) { return rest.starts_with(one.name); });
    if (unit == std::end(k_units)) return std::nullopt;
    rest.remove_prefix(unit->name.size());
    total += static_cast<long double>(number) * static_cast<long double>(unit->nanoseconds);
  }
  total *= sign;
  if (std::abs(total) > 9e18L) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(total));
}

void Problems::add(const Place& place, const std::string& message) {
  std::string where = place.file;
  if (place.line > 0) where += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  std::string line = where.empty() ? message : where + ": " + message;
  // One mistake in a part that several services share (an anchor) is one mistake.
  if (std::find(lines_.begin(), lines_.end(), line) == lines_.end()) lines_.push_back(std::move(line));
}

void Problems::check() const {
  if (any()) throw util::Error(util::ErrorKind::invalid_file, lines_.front(), lines_);
}

std::string excerpt(std::string_view text, std::size_t length) {
  if (text.size() <= length) return std::string(text);
  return util::valid_utf8(text.substr(0, length)) + "…";
}

std::optional<std::string> scalar(const Value& value, const std::string& what, Problems& problems) {
  if (value.is_scalar()) return value.text;
  problems.add(value.place, expected(what, "a string", value));
  return std::nullopt;
}

std::vector<std::string> string_list(const Value& value, const std::string& what, Problems& problems) {
  std::vector<std::string> out;
  if (value.is_null()) return out;
  if (value.is_scalar()) return {value.text};
  if (!value.is_sequence()) {
    problems.add(value.place, expected(what, "a string or a list of strings", value));
    return out;
  }
  for (const Value& item : value.items) {
    if (auto text = scalar(item, what, problems)) out.push_back(std::move(*text));
  }
  return out;
}

Environment read_environment(const Value& value, const std::string& what, Problems& problems) {
  Environment out;
  read_pairs(value, what, problems, [&](const std::string& key, std::optional<std::string> text) {
    out.insert_or_assign(key, std::move(text));
  });
  return out;
}

Reader::Reader(const Value& map, std::string what, Problems& problems)
    : map_(map), what_(std::move(what)), problems_(problems) {
  if (!map_.is_mapping() && !map_.is_null()) problems_.add(map_.place, expected(what_, "a mapping", map_));
}

bool Reader::has(std::string_view key) {
  know(known_, key);
  return map_.find(key) != nullptr;
}

const Value* Reader::get(std::string_view key) {
  know(known_, key);
  const Value* value = map_.find(key);
  return value && !value->is_null() ? value : nullptr;
}

std::optional<std::string> Reader::maybe_string(std::string_view key) {
  const Value* value = get(key);
  if (!value) return std::nullopt;
  return scalar(*value, what_ + ", '" + std::string(key) + "'", problems_);
}

std::string Reader::string(std::string_view key, std::string fallback) {
  return maybe_string(key).value_or(std::move(fallback));
}

namespace {

// A scalar that `parse` understands, or a problem that names what was expected.
template <class Parse>
auto parsed(const Value* value, const std::string& what, std::string_view wanted, Problems& problems,
            Parse parse) -> decltype(parse(value->text)) {
  if (!value) return std::nullopt;
  if (value->is_scalar()) {
    if (auto result = parse(value->text)) return result;
  }
  problems.add(value->place, expected(what, wanted, *value));
  return std::nullopt;
}

}  // namespace

std::optional<bool> Reader::maybe_boolean(std::string_view key) {
  return parsed(get(key), what_ + ", '" + std::string(key) + "'", "true or false", problems_,
                [](const std::string& text) { return parse_boolean(text); });
}

bool Reader::boolean(std::string_view key, bool fallback) {
  return maybe_boolean(key).value_or(fallback);
}

std::optional<long long> Reader::integer(std::string_view key) {
  return parsed(get(key), what_ + ", '" + std::string(key) + "'", "a whole number", problems_,
                [](const std::string& text) { return parse_integer(text); });
}

std::optional<double> Reader::number(std::string_view key) {
  return parsed(get(key), what_ + ", '" + std::string(key) + "'", "a number", problems_,
                [](const std::string& text) { return parse_number(text); });
}

std::optional<Milliseconds> Reader::duration(std::string_view key, std::optional<Milliseconds> bare_unit) {
  return parsed(get(key), what_ + ", '" + std::string(key) + "'", "a duration such as 30s or 1m30s",
                problems_, [&](const std::string& text) -> std::optional<Milliseconds> {
                  if (const auto known = util::parse_duration(text, bare_unit)) return known;
                  const auto span = parse_span(text);  // days and weeks
                  return span ? std::optional(Milliseconds(*span / 1'000'000)) : std::nullopt;
                });
}

std::optional<long long> Reader::bytes(std::string_view key) {
  return parsed(get(key), what_ + ", '" + std::string(key) + "'", "a size in bytes such as 512m or 1gb",
                problems_, [](const std::string& text) { return parse_bytes(text); });
}

std::vector<std::string> Reader::strings(std::string_view key) {
  const Value* value = get(key);
  if (!value) return {};
  return string_list(*value, what_ + ", '" + std::string(key) + "'", problems_);
}

std::map<std::string, std::string> Reader::string_map(std::string_view key) {
  std::map<std::string, std::string> out;
  if (const Value* value = get(key)) {
    read_pairs(*value, what_ + ", '" + std::string(key) + "'", problems_,
               [&](const std::string& name, std::optional<std::string> text) {
                 out.insert_or_assign(name, std::move(text).value_or(""));
               });
  }
  return out;
}

Environment Reader::environment(std::string_view key) {
  const Value* value = get(key);
  if (!value) return {};
  return read_environment(*value, what_ + ", '" + std::string(key) + "'", problems_);
}

void Reader::refuse(const std::vector<std::string>& keys, std::string_view reason) {
  for (const std::string_view key : keys) {
    know(known_, key);
    for (const Entry& entry : map_.entries) {
      if (entry.key == key)
        problems_.add(entry.place, what_ + ": '" + entry.key + "' " + std::string(reason));
    }
  }
}

void Reader::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) know(known_, key);
}

void Reader::finish() {
  for (const Entry& entry : map_.entries) {
    if (entry.key.starts_with("x-")) continue;
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    std::string message = "unknown key '" + entry.key + "' in " + what_;
    if (const auto near = util::nearest(entry.key, known_)) {
      message += ", did you mean '" + *near + "'?";
    } else if (known_.size() <= 12) {
      message += ", expected one of " + util::join(known_, ", ");
    }
    problems_.add(entry.place, message);
  }
}

}  // namespace stackd::yaml
