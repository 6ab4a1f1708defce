#include "daemon/translate/labels.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::translate;

TEST_CASE("a label that is not there is empty", "[translate][labels]") {
  docker::ContainerSummary container;
  container.labels = {{label::k_service, "web"}};
  CHECK(label_of(container, label::k_service) == "web");
  CHECK(label_of(container, label::k_stack).empty());
  CHECK(label_of(docker::Labels{}, label::k_service).empty());
}

TEST_CASE("C9.4: which replica a container is; the first when it does not say", "[translate][labels]") {
  const auto number = [](const std::string& text) { return number_of({{label::k_number, text}}); };
  CHECK(number("1") == 1);
  CHECK(number("12") == 12);
  CHECK(number_of({}) == 1);
  CHECK(number("0") == 1);
  CHECK(number("-3") == 1);
  CHECK(number("many") == 1);
}
