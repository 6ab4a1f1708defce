#include "daemon/compose/forms.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "daemon/compose/keys.hpp"
#include "daemon/util/text.hpp"
#include "daemon/yaml/typed.hpp"

namespace stackd::compose {

namespace {

using yaml::Entry;
using yaml::Problems;
using yaml::Typed;
using yaml::Value;

template <std::size_t N>
bool is_one_of(std::string_view key, const std::array<std::string_view, N>& keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// Where the schema says something else than the rule for what a key is printed as.
constexpr std::array<std::string_view, 5> k_text_or_list{"dns", "dns_search", "tmpfs", "include", "ignore"};
constexpr std::array<std::string_view, 3> k_mappings_alone{"driver_opts", "storage_opt", "aux_addresses"};
constexpr std::array<std::string_view, 2> k_truths_alone{"use_api_socket", "initial_sync"};
// A key of a service whose parts no decoder reads, so that nobody else would miss a misspelt one.
constexpr std::array<std::string_view, 3> k_shown_alone{"deploy", "develop", "provider"};

class Forms {
public:
  Forms(std::string what, Problems& problems) : what_(std::move(what)), problems_(problems) {}

  void mapping(const Value& value, const Shape& shape, bool closed = false) {
    for (const Entry& entry : value.entries) {
      const auto has_name = [&](const Key& key) { return key.name == entry.key; };
      const Key* key = std::find_if(shape.begin(), shape.end(), has_name);
      if (key == shape.end()) {
        if (closed && !entry.key.starts_with("x-")) unknown(entry, shape);
        continue;
      }
      Forms inside(what_ + ", '" + entry.key + "'", problems_);
      inside.of_key(entry.value, *key, closed || is_one_of(key->name, k_shown_alone));
    }
  }

private:
  void wanted(const Value& value, const char* form) {
    problems_.add(value.place, what_ + ": expected " + form);
  }

  void unknown(const Entry& entry, const Shape& shape) {
    std::vector<std::string> known;
    for (const Key& key : shape) known.emplace_back(key.name);
    const auto near = util::nearest(entry.key, known);
    problems_.add(entry.place, "unknown key '" + entry.key + "' in " + what_ +
                                   (near ? ", did you mean '" + *near + "'?" : ""));
  }

  void text(const Value& value) {
    if (value.is_sequence() || value.is_mapping()) wanted(value, "a text");
  }

  void of_key(const Value& value, const Key& key, bool closed) {
    switch (key.as) {
      case As::text:
      case As::required:
        text(value);
        return;
      case As::span:
      case As::span_given:
        text(value);
        return;
      case As::flag:
      case As::flag_given:
      case As::true_or_false:
        if (is_one_of(key.name, k_truths_alone) && yaml::typed(value).type != Typed::Type::boolean)
          wanted(value, "true or false");
        return;
      case As::words:
        words(value, key.name);
        return;
      case As::command:
      case As::test:
        if (!value.is_null()) one_or_more(value);
        return;
      case As::pairs:
      case As::variables:
        pairs(value, key.name);
        return;
      case As::object:
      case As::object_always:
        object(value, key, closed);
        return;
      case As::objects:
        objects(value, key, closed);
        return;
      case As::named:
        if (!value.is_sequence()) named(value, key, closed);
        return;
      default:
        return;
    }
  }

  void list(const Value& value) {
    for (const Value& item : value.items)
      if (item.is_sequence() || item.is_mapping()) wanted(item, "a list of texts");
  }

  void words(const Value& value, std::string_view key) {
    if (is_one_of(key, k_text_or_list)) return value.is_null() ? void() : one_or_more(value);
    if (!value.is_sequence()) return value.is_null() ? void() : wanted(value, "a list");
    list(value);
  }

  void one_or_more(const Value& value) {
    if (value.is_sequence())
      list(value);
    else if (value.is_mapping())
      wanted(value, "a text or a list of texts");
  }

  void pairs(const Value& value, std::string_view key) {
    if (value.is_sequence() && !is_one_of(key, k_mappings_alone)) return list(value);
    if (!value.is_mapping()) return value.is_null() ? void() : wanted(value, "a mapping");
    for (const Entry& entry : value.entries)
      if (entry.value.is_sequence() || entry.value.is_mapping()) wanted(entry.value, "one value");
  }

  void object(const Value& value, const Key& key, bool closed) {
    if (value.is_mapping()) return mapping(value, *key.shape, closed);
    if (!value.is_null() && key.name != "build") wanted(value, "a mapping");
  }

  // A short form is its decoder's; a hook may be one text here.
  void objects(const Value& value, const Key& key, bool closed) {
    if (!value.is_sequence()) return value.is_null() || value.is_scalar() ? void() : wanted(value, "a list");
    const bool long_alone = key.name == "watch" || key.name == "preferences" || key.name == "config";
    for (const Value& item : value.items) {
      if (item.is_mapping())
        mapping(item, *key.shape, closed);
      else if (long_alone)
        wanted(item, "a mapping");
    }
  }

  void named(const Value& value, const Key& key, bool closed) {
    for (const Entry& entry : value.entries) {
      Forms inside(what_ + ", '" + entry.key + "'", problems_);
      if (entry.value.is_mapping())
        inside.mapping(entry.value, *key.shape, closed);
      else if (!entry.value.is_null())
        inside.wanted(entry.value, "a mapping");
    }
  }

  std::string what_;
  Problems& problems_;
};

}  // namespace

void check_forms(const Value& document, const std::set<std::string>& services, Problems& problems) {
  if (const Value* all = document.find("services"))
    for (const Entry& entry : all->entries)
      if (services.contains(entry.key))
        Forms("service '" + entry.key + "'", problems).mapping(entry.value, service_shape());
  const std::array sections{std::pair("network", &network_shape()), std::pair("volume", &volume_shape()),
                            std::pair("secret", &secret_shape()), std::pair("config", &config_shape()),
                            std::pair("model", &model_shape())};
  for (const auto& [kind, shape] : sections)
    if (const Value* section = document.find(std::string(kind) + "s"))
      for (const Entry& entry : section->entries)
        Forms(std::string(kind) + " '" + entry.key + "'", problems).mapping(entry.value, *shape);
}

}  // namespace stackd::compose
