// Problems and Reader: how the decoders read a Value tree. Mistakes are collected, each with its place, so
// that one run shows them all; nothing throws until Problems::check().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/yaml/yaml.hpp"

namespace stackd::yaml {

class Problems {
public:
  void add(const Place& place, const std::string& message);  // "<file>:<line>:<column>: <message>"
  bool any() const { return !lines_.empty(); }
  const std::vector<std::string>& lines() const { return lines_; }
  // Throws Error(invalid_file) with all lines as details when there are any; its message is the first line.
  void check() const;

private:
  std::vector<std::string> lines_;
};

// Reads one mapping. `what` names it in messages ("service 'db'"). Keys that were not asked for are reported
// by finish() with the nearest known one; x-* keys are ignored.
class Reader {
public:
  Reader(const Value& map, std::string what, Problems& problems);

  // Null when absent or null. Each marks its key as known.
  const Value* get(std::string_view key);
  bool has(std::string_view key);                                       // present, even as null
  std::string string(std::string_view key, std::string fallback = "");  // numbers and bools as written
  std::optional<std::string> maybe_string(std::string_view key);
  bool boolean(std::string_view key, bool fallback = false);  // true, "true", yes, on, 1 …
  std::optional<bool> maybe_boolean(std::string_view key);
  std::optional<long long> integer(std::string_view key);
  std::optional<double> number(std::string_view key);
  // bare_unit: what a number without unit means, if it may stand.
  std::optional<Milliseconds> duration(std::string_view key,
                                       std::optional<Milliseconds> bare_unit = std::nullopt);
  std::optional<long long> bytes(std::string_view key);                 // "512m", "1gb", 1024
  std::vector<std::string> strings(std::string_view key);               // a string or a list of strings
  std::map<std::string, std::string> string_map(std::string_view key);  // a map or a list of K=V
  Environment environment(std::string_view key);                        // the same; no value is nullopt
  // Known keys that are refused here with a reason ("is not supported yet: …").
  void refuse(const std::vector<std::string>& keys, std::string_view reason);
  void ignore(std::initializer_list<std::string_view> keys);  // known, and without meaning for stackd
  // Reports everything that was never asked for.
  void finish();

  const Value& value() const { return map_; }
  const std::string& what() const { return what_; }
  Problems& problems() { return problems_; }
  void problem(const Place& place, const std::string& message) { problems_.add(place, message); }

private:
  const Value& map_;
  std::string what_;
  Problems& problems_;
  std::vector<std::string> known_;
};

// The beginning of a long text, for messages; whole UTF-8 characters.
std::string excerpt(std::string_view text, std::size_t length = 60);

// "512m", "1.5gb", "64KiB", "1024": units are powers of 1024, as the engine's own command line takes them.
std::optional<long long> parse_bytes(const std::string& text);

// Nanoseconds of "1h30m", "1.5s", "300ms", "2d", "1w"; nothing for what is none.
std::optional<std::int64_t> parse_span(const std::string& text);

// Shared by decoders: text of a scalar, or a problem "expected a string".
std::optional<std::string> scalar(const Value& value, const std::string& what, Problems& problems);
std::vector<std::string> string_list(const Value& value, const std::string& what, Problems& problems);
Environment read_environment(const Value& value, const std::string& what, Problems& problems);

}  // namespace stackd::yaml
