#include "daemon/plan/wish.hpp"

#include <array>

#include "daemon/model/codec.hpp"

namespace stackd::model {

#define F STACKD_F
STACKD_FIELDS(plan::Wish, F(services), F(build), F(rebuild), F(force_recreate), F(no_deps), F(remove_orphans),
              F(ignore_orphans), F(keep), F(pull), F(scale), F(deadline), F(digest), F(rerun), F(volumes),
              F(no_hooks), F(rmi), F(stop_timeout), F(pull_base), F(include_deps), F(ignore_failures),
              F(build_args), F(ssh), F(push), F(reasons), F(restarted), F(skip_hooks), F(hooks),
              F(no_recreate), F(always_recreate_deps), F(renew_volumes), F(no_start), F(no_build), F(adopt),
              F(asked), F(prepare))
#undef F

}  // namespace stackd::model

namespace stackd::plan {
namespace {

constexpr std::array k_words{"up",    "start", "restart", "stop", "down",    "recover",
                             "hooks", "build", "pull",    "push", "rollback"};

}  // namespace

const char* to_string(Kind kind) {
  return k_words[static_cast<std::size_t>(kind)];
}

Kind kind_from(const std::string& word) {
  for (std::size_t i = 0; i < k_words.size(); ++i)
    if (word == k_words[i]) return static_cast<Kind>(i);
  throw util::Error(util::ErrorKind::internal, "there is no kind of operation '" + word + "'");
}

bool brings_up(Kind kind) {
  return kind == Kind::up || kind == Kind::start || kind == Kind::restart;
}

bool is_of_images(Kind kind) {
  return kind == Kind::build || kind == Kind::pull || kind == Kind::push;
}

bool same(const Wish& a, const Wish& b) {
  const auto essence = [](Wish wish) {
    const std::set<std::string> names(wish.services.begin(), wish.services.end());
    wish.services.assign(names.begin(), names.end());
    wish.asked.clear();
    return model::encode(wish);
  };
  return essence(a) == essence(b);
}

std::string to_text(const Wish& wish) {
  return model::encode(wish).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Wish wish_from(const std::string& text) {
  return model::decoded<Wish>(nlohmann::json::parse(text, nullptr, false), "request of an operation");
}

}  // namespace stackd::plan
