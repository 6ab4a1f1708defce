// A YAML document as a tree that keeps places: anchors, aliases and merge keys (<<) resolved, duplicate keys
// refused. The only files that know yaml-cpp are yaml.cpp and its test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/model/spec.hpp"

namespace stackd::yaml {

using namespace model;

struct Entry;

struct Value {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  std::string text;   // of a scalar
  bool plain = true;  // a scalar without quotes: may be a number, bool or null
  std::string tag;    // "!reset", "!override" or ""
  Place place;
  std::vector<Value> items;    // of a sequence
  std::vector<Entry> entries;  // of a mapping, in file order

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }
  const Value* find(std::string_view key) const;  // of a mapping; null when it is not there
  Value* find(std::string_view key);
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Value value;
};

// Every document of it; an empty one is null, and there is at least one. Throws Error(invalid_file)
// "file:line:column: …" for text that is not YAML.
std::vector<Value> parse_documents(const std::string& text, const std::string& file);
// The only one: a second document is refused.
Value parse_yaml(const std::string& text, const std::string& file);
void refuse_more_documents(const std::vector<Value>& documents);

}  // namespace stackd::yaml
