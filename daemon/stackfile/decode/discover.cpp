// L10.8: `discover` in an `owned` entry: one service for each file that a glob finds.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/stackfile/decode/extras_parts.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/glob.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

namespace fs = std::filesystem;
using util::Error;
using util::ErrorKind;

[[noreturn]] void fail(const std::string& why) {
  throw Error(ErrorKind::invalid_file, why);
}

// ---- templates

// Lower case, everything else than letters and digits as one separator; CamelCase has one before each hump.
std::string slug(const std::string& text, char separator) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool hump = i > 0 && std::isupper(c) && std::isalnum(static_cast<unsigned char>(text[i - 1])) &&
                      !std::isupper(static_cast<unsigned char>(text[i - 1]));
    if (!std::isalnum(c) || hump) {
      if (!out.empty() && out.back() != separator) out += separator;
    }
    if (std::isalnum(c)) out += static_cast<char>(std::tolower(c));
  }
  while (!out.empty() && out.back() == separator) out.pop_back();
  return out;
}

std::string apply_filter(const std::string& filter, std::string value) {
  const std::size_t colon = filter.find(':');
  const std::string name(util::trim(filter.substr(0, colon)));
  const std::string argument = colon == std::string::npos ? "" : filter.substr(colon + 1);
  const bool strips = name == "strip_suffix" || name == "strip_prefix";
  if (!strips && name != "kebab" && name != "snake") {
    fail("unknown filter '" + name + "'" +
         resolve::hint(name, {"kebab", "snake", "strip_suffix", "strip_prefix"}));
  }
  if (strips && argument.empty())
    fail("the filter '" + name + "' needs an argument, as in " + name + ":Worker");
  if (!strips && colon != std::string::npos) fail("the filter '" + name + "' takes no argument");
  if (name == "kebab") return slug(value, '-');
  if (name == "snake") return slug(value, '_');
  if (name == "strip_suffix" && value.ends_with(argument)) value.resize(value.size() - argument.size());
  if (name == "strip_prefix" && value.starts_with(argument)) value.erase(0, argument.size());
  return value;
}

// ${basename_no_ext | strip_suffix:Worker | kebab}. References of stackd's stay.
std::string expand(const std::string& text, const std::string& path) {
  const fs::path file(path);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "${") != 0) {
      out += text[at++];
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) fail("the '${' in '" + text + "' is not closed");
    if (resolve::begins_reference(text, at)) {
      out += text.substr(at, end + 1 - at);
    } else {
      auto parts = util::split(text.substr(at + 2, end - at - 2), '|');
      for (std::string& part : parts) part = util::trim(part);
      std::string value;
      if (parts[0] == "basename")
        value = file.filename().string();
      else if (parts[0] == "basename_no_ext")
        value = file.stem().string();
      else if (parts[0] == "dirname")
        value = file.parent_path().generic_string();
      else
        fail("unknown variable '" + parts[0] + "'" +
             resolve::hint(parts[0], {"basename", "basename_no_ext", "dirname"}));
      for (std::size_t i = 1; i < parts.size(); ++i) value = apply_filter(parts[i], std::move(value));
      out += value;
    }
    at = end + 1;
  }
  return out;
}

Value text_value(std::string text, const Place& place) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.text = std::move(text);
  value.place = place;
  value.plain = false;
  return value;
}

void set_key(Value& mapping, const std::string& key, Value value) {
  if (Value* there = mapping.find(key)) {
    *there = std::move(value);
    return;
  }
  const Place place = value.place;
  mapping.entries.push_back({key, place, std::move(value)});
}

}  // namespace

std::vector<Entry> expand_discover(const Entry& parent, DecodeContext& context) {
  const Value& discover = *parent.value.find("discover");
  const std::string what = "owned service '" + parent.key + "', 'discover'";
  Reader reader(discover, what, context.problems);
  const std::string glob = reader.string("glob");
  const std::string name_template = reader.string("name_template");
  const std::string cmd_template = reader.string("cmd_template");
  const bool own_directory = reader.has("cwd");
  Reader whole(parent.value, "owned service '" + parent.key + "'", context.problems);
  const std::string root =
      own_directory ? absolute_directory(reader, "cwd", context) : absolute_directory(whole, "cwd", context);
  reader.finish();
  if (glob.empty() || name_template.empty() || cmd_template.empty()) {
    context.problems.add(discover.place, what + ": 'glob', 'name_template' and 'cmd_template' are expected");
    return {};
  }
  if (whole.has("cmd"))
    context.problems.add(parent.place, whole.what() + ": give 'cmd' or 'discover', not both");

  std::vector<Entry> out;
  try {
    // Mistakes in the templates show even when no file is found.
    expand(name_template, "a/b.c");
    expand(cmd_template, "a/b.c");
    for (const std::string& path : util::glob_files(root, glob)) {
      Entry entry{expand(name_template, path), parent.place, parent.value};
      std::erase_if(entry.value.entries, [](const Entry& field) { return field.key == "discover"; });
      set_key(entry.value, "cmd",
              text_value(expand(cmd_template, path), discover.find("cmd_template")->place));
      if (own_directory) set_key(entry.value, "cwd", text_value(root, discover.find("cwd")->place));
      if (entry.key.empty()) fail("the name_template makes an empty name of " + path);
      out.push_back(std::move(entry));
    }
  } catch (const Error& error) {
    context.problems.add(discover.place, what + ": " + error.what());
    return {};
  }
  std::stable_sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  const auto twice = std::adjacent_find(out.begin(), out.end(),
                                        [](const Entry& a, const Entry& b) { return a.key == b.key; });
  if (twice != out.end()) {
    context.problems.add(discover.place, what + ": two files become the service '" + twice->key +
                                             "'; change the name_template");
    return {};
  }
  return out;
}

}  // namespace stackd::stackfile
