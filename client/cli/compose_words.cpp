#include "client/cli/compose_words.hpp"

#include <algorithm>

namespace stackd::client {
namespace {

struct Verb {
  std::string_view name, here;
};
constexpr Verb k_verbs[] = {
    {"alpha", ""},
    {"attach",
     "`stackctl logs -f SERVICE` shows what it writes, `stackctl exec SERVICE sh` is a shell beside it"},
    {"bridge", ""},
    {"build", "`stackctl up --build` builds and starts"},
    {"commit", ""},
    {"convert", "`stackctl config` does that"},
    {"cp", "`stackctl exec -T SERVICE tar -c PATH | tar -x` copies out, the other way round it copies in"},
    {"create", "`stackctl up` creates and starts"},
    {"export", ""},
    {"images", "`stackctl config --images` shows which there are"},
    {"publish", ""},
    {"pull", "`stackctl up --pull always` pulls and starts"},
    {"push", ""},
    {"stats", "`stackctl top` measures containers and processes"},
    {"viz", "`stackctl graph --dot` does that"},
    {"wait", "`stackctl events` tells when a service ends"},
    {"watch", ""},
};

struct Option {
  std::string_view verb, name, here;
};
constexpr Option k_options[] = {
    {"up", "--abort-on-container-exit", ""},
    {"up", "--abort-on-container-failure", ""},
    {"up", "--always-recreate-deps", "`--force-recreate` makes containers anew"},
    {"up", "--attach", "`stackctl logs -f` follows what services write"},
    {"up", "--exit-code-from", ""},
    {"up", "--no-attach", "an up does not attach"},
    {"up", "--no-build", "images are built when they are missing, and with --build"},
    {"up", "--no-recreate", ""},
    {"up", "--no-start", ""},
    {"up", "--watch", ""},
};

std::string told(std::string_view here) {
  return here.empty() ? "Docker Compose has it, nothing here does that"
                      : "Docker Compose has it, here " + std::string(here);
}

}  // namespace

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
