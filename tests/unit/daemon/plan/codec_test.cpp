// What is stored of steps: parameters and results, as JSON, of every kind that there is.
#include <set>

#include "daemon/plan/step_kinds.hpp"
#include "daemon/plan/wish.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using nlohmann::json;

namespace {

// ---- something else than the default, and another thing each time

int next() {
  static int count = 0;
  return ++count;
}
void fill(bool& value) {
  value = !value;
}
void fill(int& value) {
  value = 1000 + next();
}
void fill(util::TimeMs& value) {
  value = 1'700'000'000'000 + next();
}
void fill(std::string& value) {
  value = "text " + std::to_string(next());
}
void fill(model::Phase& value) {
  value = model::Phase::after_ready;
}
template <model::Described T>
void fill(T& value);
template <class T>
void fill(std::optional<T>& value) {
  fill(value.emplace());
}
template <class T>
void fill(std::vector<T>& value) {
  for (int i = 0; i < 2; ++i) fill(value.emplace_back());
}
template <class T>
void fill(std::map<std::string, T>& value) {
  fill(value["one"]);
}
template <model::Described T>
void fill(T& value) {
  std::apply([&](const auto&... fields) { (fill(value.*fields.member), ...); }, model::Fields<T>::list);
}

// Stands for any member in T{Any, Any, …}: the most of them that compile is the number of T's members.
struct Any {
  template <class T>
  operator T() const;
};
template <class T, class... Some>
constexpr std::size_t members() {
  if constexpr (requires { T{Some{}..., Any{}}; })
    return members<T, Some..., Any>();
  else
    return sizeof...(Some);
}
template <class T>
constexpr std::size_t listed = std::tuple_size_v<decltype(model::Fields<T>::list)>;

template <class T>
T filled() {
  T value;
  fill(value);
  return value;
}
// As the store has it.
template <class T>
T back(const json& stored) {
  return model::decoded<T>(json::parse(stored.dump()), "test");
}

template <class T>
void comes_back(const std::string& what) {
  CAPTURE(what);
  CHECK(listed<T> == members<T>());
  CHECK(model::encode(T{}) == json::object());
  const auto stored = model::encode(filled<T>());
  CHECK(stored.size() == listed<T>);
  CHECK(model::encode(back<T>(stored)) == stored);
}

// A newer daemon's fields are passed over, an older one's are missing.
template <class T>
void tolerates(const std::string& what) {
  CAPTURE(what);
  const auto stored = model::encode(filled<T>());
  auto newer = stored;
  newer["of a later day"] = {1, "two", {{"three", 3}}};
  CHECK(model::encode(back<T>(newer)) == stored);
  for (const auto& [name, unused] : stored.items()) {
    auto older = stored;
    older.erase(name);
    CHECK(model::encode(back<T>(older)) == older);
  }
  CHECK(model::encode(back<T>(json::object())) == json::object());
  CHECK_THROWS_AS(back<T>(json::array({1})), util::Error);
}

template <class... Kinds>
void every_kind_comes_back(std::tuple<Kinds...>*) {
  (comes_back<Kinds>(Kinds::k_kind), ...);
  (comes_back<typename Kinds::Result>(std::string("result of ") + Kinds::k_kind), ...);
}
template <class... Kinds>
void every_kind_tolerates(std::tuple<Kinds...>*) {
  (tolerates<Kinds>(Kinds::k_kind), ...);
  (tolerates<typename Kinds::Result>(std::string("result of ") + Kinds::k_kind), ...);
}
template <class... Kinds>
std::vector<std::pair<std::string, bool>> kinds(std::tuple<Kinds...>*) {
  return {{Kinds::k_kind, Kinds::k_interruptible}...};
}

plan::AllKinds* const k_all = nullptr;

}  // namespace

TEST_CASE("what a step of any kind is told, and what it leaves, comes back from the store as it was",
          "[plan][codec]") {
  every_kind_comes_back(k_all);
  comes_back<plan::Settle::Container>("container of settle");
  comes_back<translate::ImageFacts>("facts of an image");
}

TEST_CASE("what an older or a newer daemon has stored of a step can be read", "[plan][codec]") {
  every_kind_tolerates(k_all);
}

TEST_CASE("kinds of steps have names of their own, by which the store and the clients know them",
          "[plan][codec]") {
  std::set<std::string> names;
  for (const auto& [name, interruptible] : kinds(k_all)) CHECK(names.insert(name).second);
  CHECK(names == std::set<std::string>{
                     "plan-up",        "plan-down",     "plan-recover",  "plan-rollback", "env-from",
                     "image",          "derive",        "network",       "volume",        "remove-networks",
                     "remove-volumes", "remove-images", "create",        "start",         "stop",
                     "remove",         "pre-run",       "start-process", "stop-process",  "ready",
                     "ready-process",  "completed",     "settle",        "hook",          "end-hook",
                     "finish-up",      "finish-down",   "plan-images",   "push",          "plan-hooks",
                     "put-back",       "put-back-done"});
}

TEST_CASE("only what waits for others may be cancelled; what has an effect runs to its end",
          "[plan][codec]") {
  std::set<std::string> waiting;
  for (const auto& [name, interruptible] : kinds(k_all))
    if (interruptible) waiting.insert(name);
  CHECK(waiting == std::set<std::string>{"env-from", "image", "push", "derive", "pre-run", "ready",
                                         "ready-process", "completed", "settle", "hook"});
}

TEST_CASE("a step is planned with the name of its kind and its parameters", "[plan][codec]") {
  const auto step = plan::step("stop web-1", "web", plan::Stop{.id = "1", .timeout = 0}, {"a", "b"}, true);
  CHECK(step.key == "stop web-1");
  CHECK(step.kind == "stop");
  CHECK(step.service == "web");
  CHECK(step.params == json{{"id", "1"}, {"timeout", 0}});
  CHECK(step.needs == plan::Keys{"a", "b"});
  CHECK(step.go_on);
  CHECK_FALSE(plan::step("a", "", plan::PlanDown{}).go_on);
}

TEST_CASE("C7.1: a timeout of no seconds is not the same as none", "[plan][codec]") {
  CHECK(back<plan::Stop>(model::encode(plan::Stop{.timeout = 0})).timeout == 0);
  CHECK_FALSE(back<plan::Stop>(json::object()).timeout);
}

TEST_CASE("a phase that no daemon knows is told as a damage", "[plan][codec]") {
  CHECK_THROWS_AS(back<plan::Hook>(json{{"phase", "before_lunch"}}), util::Error);
  CHECK_THROWS_AS(back<plan::Hook>(json{{"index", "zero"}}), util::Error);
}
