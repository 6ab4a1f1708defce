// Every key of the Compose specification as a table: what its value is, and so how `config` prints it. A key
// that is not here is not printed. docs/compose.md says what becomes of each; a test holds the two to each
// other.
#pragma once

#include <cstddef>
#include <string_view>

namespace stackd::compose {

// How a value is printed. Unless it says otherwise, what is empty, zero or false is left out.
enum class As {
  text,
  flag,
  flag_given,  // false is printed too
  whole,
  whole_given,  // 0 is printed too
  real,
  size,           // bytes, as text: "512m" is "536870912"
  size_given,     // "0" is printed too
  span,           // a duration as Go writes it: "1m30s"
  span_given,     // "0s" is printed too
  words,          // a list of texts, or one text
  command,        // the same, one text split as a shell does; null when it is not given
  test,           // a healthcheck's: one text is CMD-SHELL
  pairs,          // a mapping or a list of K=V; no value is ""
  variables,      // the same; no value is null
  options,        // a mapping of texts to lists of texts
  hosts,          // extra_hosts: sorted "host=address"
  object,         // its shape; an empty mapping is printed
  object_always,  // printed as {} when it is not given
  objects,        // a list of them
  named,          // a mapping of names to them; null stays
  keys,           // ssh: a mapping of names to paths, printed as a list of names
  limits,         // ulimits: numbers, or {soft, hard}
  mode,           // a file's, "0440": text is octal, a number is what it is
  device_count,   // "all" is -1
  required,       // a text that is printed even when it is empty
  true_or_false,  // a flag that is printed always
};

struct Shape;
struct Key {
  std::string_view name;
  As as;
  const Shape* shape = nullptr;   // of object, object_always, objects, named
  std::string_view printed = {};  // when it is printed under another name
};
struct Shape {
  const Key* first = nullptr;
  std::size_t count = 0;
  const Key* begin() const { return first; }
  const Key* end() const { return first + count; }
};

const Shape& service_shape();
const Shape& network_shape();
const Shape& volume_shape();
const Shape& secret_shape();
const Shape& config_shape();
const Shape& model_shape();  // of the top level's `models`: in YAML alone

}  // namespace stackd::compose
