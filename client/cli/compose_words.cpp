#include "client/cli/compose_words.hpp"

#include <algorithm>

namespace stackd::client {
namespace {

struct Verb {
  std::string_view name, here;
};
constexpr Verb k_verbs[] = {
    {"alpha", ""},  {"bridge", ""},  {"commit", ""},
    {"export", ""}, {"publish", ""}, {"viz", "`stackctl graph --dot` does that"},
    {"watch", ""},
};

struct Option {
  std::string_view verb, name, here;
};
constexpr Option k_options[] = {
    {"run", "--env-from-file", "`-e NAME=VALUE` gives each variable"},
    {"up", "--watch", ""},
};

std::string told(std::string_view here) {
  return here.empty() ? "Docker Compose has it, nothing here does that"
                      : "Docker Compose has it, here " + std::string(here);
}

}  // namespace

std::string_view same_verb(std::string_view verb) {
  return verb == "convert" ? "config" : verb;
}

std::string instead_of_verb(std::string_view verb) {
  const auto found =
      std::find_if(std::begin(k_verbs), std::end(k_verbs), [&](const Verb& v) { return v.name == verb; });
  return found == std::end(k_verbs) ? "" : told(found->here);
}

std::string instead_of_option(std::string_view verb, std::string_view option) {
  const auto found = std::find_if(std::begin(k_options), std::end(k_options),
                                  [&](const Option& o) { return o.verb == verb && o.name == option; });
  return found == std::end(k_options) ? "" : told(found->here);
}

bool are_opposites(std::string_view option, std::string_view other) {
  const auto bare = [](std::string_view text) {
    const bool no = text.starts_with("--no-");
    return std::pair(no, text.substr(std::min(text.size(), no ? std::size_t{5} : std::size_t{2})));
  };
  const auto [no, what] = bare(option);
  const auto [other_no, other_what] = bare(other);
  return no != other_no && what == other_what;
}

}  // namespace stackd::client
