// Which files, which project, which variables: as Docker Compose decides it.
#include <nlohmann/json.hpp>

#include "daemon/stackfile/stack_model.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using test::Loading;
using Files = std::map<std::string, std::string>;

namespace {

// "a:1 b:2": each service with its variable A.
std::string services_of(const model::Spec& spec) {
  std::string out;
  for (const auto& service : spec.services) {
    const auto found = service.environment.env.find("A");
    out += (out.empty() ? "" : " ") + service.name;
    if (found != service.environment.env.end()) out += ":" + found->second.value_or("(none)");
  }
  return out;
}

struct Row {
  const char* sentence;
  Files files;
  std::function<void(stackfile::LoadRequest&)> asked;
  std::string services;
};

std::string outcome(const Row& row) {
  Loading loading;
  loading.request.project_name.clear();
  for (const auto& [name, text] : row.files) loading.directory.write(name, text);
  row.asked(loading.request);
  try {
    return services_of(loading.load());
  } catch (const util::Error& error) {
    return error.what();
  }
}

const std::string k_a = "services: {a: {image: x, environment: {A: '$A'}}}\n";
const std::string k_b = "services: {b: {image: y, environment: {A: '$B'}}}\n";

}  // namespace

TEST_CASE("which files are read, and with which variables", "[stackfile][choice]") {
  using Request = stackfile::LoadRequest;
  const auto nothing = [](Request&) {};
  const std::vector<Row> rows{
      {"COMPOSE_FILE of .env names the files",
       {{".env", "COMPOSE_FILE=1.yaml:2.yaml\n"}, {"1.yaml", k_a}, {"2.yaml", k_b}},
       nothing,
       "a: b:"},
      {"the shell's wins",
       {{".env", "COMPOSE_FILE=1.yaml:2.yaml\n"}, {"1.yaml", k_a}, {"2.yaml", k_b}},
       [](Request& r) { r.environment["COMPOSE_FILE"] = "2.yaml"; },
       "b:"},
      {"-f beats both",
       {{".env", "COMPOSE_FILE=1.yaml\n"}, {"1.yaml", k_a}, {"2.yaml", k_b}},
       [](Request& r) { r.files = {"2.yaml"}; },
       "b:"},
      {"the separator is one's own",
       {{"1.yaml", k_a}, {"2.yaml", k_b}},
       [](Request& r) {
         r.environment["COMPOSE_FILE"] = "1.yaml;;2.yaml";
         r.environment["COMPOSE_PATH_SEPARATOR"] = ";;";
       },
       "a: b:"},
      {"--env-file takes the place of .env, a later one over an earlier one",
       {{"compose.yaml", k_a}, {".env", "A=0\n"}, {"1.env", "A=1\n"}, {"2.env", "A=${A}2\n"}},
       [](Request& r) {
         r.env_files = {"1.env", "2.env"};
       },
       "a:12"},
      {"so does COMPOSE_ENV_FILES",
       {{"compose.yaml", k_a}, {".env", "A=0\n"}, {"1.env", "A=1\n"}},
       [](Request& r) { r.environment["COMPOSE_ENV_FILES"] = "1.env"; },
       "a:1"},
      {"COMPOSE_DISABLE_ENV_FILE leaves .env unread",
       {{"compose.yaml", k_a}, {".env", "A=0\n"}},
       [](Request& r) { r.environment["COMPOSE_DISABLE_ENV_FILE"] = "true"; },
       "a:"},
      {"--project-directory is where .env and the files are looked for",
       {{"o/compose.yaml", k_a}, {"o/.env", "A=o\n"}},
       [](Request& r) { r.project_directory = "o"; },
       "a:o"},
      {"- is the caller's input",
       {{".env", "A=1\n"}},
       [](Request& r) {
         r.files = {"-"};
         r.input = k_a;
       },
       "a:1"},
      {"PWD is the directory where the caller has none",
       {{"compose.yaml", "services: {a: {image: x, environment: {A: '${PWD:+yes}'}}}\n"}},
       nothing,
       "a:yes"},
      {"documents of one file follow each other as files do",
       {{"compose.yaml", k_a + "---\nservices: {a: {environment: {A: later}}, b: {image: y}}\n"}},
       nothing,
       "a:later b"},
  };
  for (const auto& row : rows) {
    INFO(row.sentence);
    CHECK(outcome(row) == row.services);
  }
}

TEST_CASE("the .env beside the file that COMPOSE_FILE names is read under the caller's own",
          "[stackfile][choice]") {
  Loading loading;
  loading.directory.write(".env", "COMPOSE_FILE=sub/c.yaml\nA=own\n");
  loading.directory.write("sub/c.yaml", "services: {a: {image: x, environment: {A: '$A$B'}}}\n");
  loading.directory.write("sub/.env", "A=sub\nB=sub\n");
  const auto spec = loading.load();
  CHECK(services_of(spec) == "a:ownsub");
  CHECK(spec.directory == loading.path("sub"));
}

TEST_CASE("a stackd.yaml comes before what COMPOSE_FILE names, and that is said", "[stackfile][choice]") {
  Loading loading("services: {own: {image: x}}\n", "stackd.yaml");
  loading.directory.write("c.yaml", k_a);
  loading.request.environment["COMPOSE_FILE"] = "c.yaml";
  const auto spec = loading.load();
  CHECK(services_of(spec) == "own");
  REQUIRE(spec.warnings.size() == 1);
  CHECK(spec.warnings[0].starts_with("COMPOSE_FILE (c.yaml) is not read: "));
}

TEST_CASE("what only an inactive service says refuses nothing", "[stackfile][choice]") {
  Loading loading(
      "services:\n"
      "  a: {image: x}\n"
      "  no-image: {profiles: [p]}\n"
      "  much: {image: y, profiles: [p], env_file: none.env, volumes: ['v:/v1', 'none:/v2'], secrets: [s],\n"
      "         ports: ['80:80']}\n"
      "secrets: {s: {environment: NOT_SET}}\n");
  const auto spec = loading.load();
  CHECK(services_of(spec) == "a");
  CHECK(spec.disabled == std::vector<std::string>{"no-image", "much"});
  loading.request.profile = "p";
  const auto mistakes = loading.mistakes();
  for (const char* part :
       {"neither an 'image' nor a 'build'", "none.env", "uses the volume 'none'", "'NOT_SET' is not set"}) {
    INFO(part << " in " << mistakes);
    CHECK(mistakes.find(part) != std::string::npos);
  }
}

TEST_CASE("what keeps a stack from running does not keep it from being shown", "[stackfile][choice]") {
  Loading loading(
      "services:\n"
      "  a: {image: x, ports: ['80:80'], secrets: [s], credential_spec: {file: f}}\n"
      "  b: {image: y, ports: ['80:80']}\n"
      "  p: {provider: {type: cloud}}\n"
      "  q: {image: z, depends_on: [p]}\n"
      "secrets: {s: {external: true}}\n");
  CHECK(Loading("services:\n  a: {image: x, ports: ['80:80']}\n  b: {image: y, ports: ['80:80']}\n")
            .mistakes()
            .find("publishes host port 80/tcp") != std::string::npos);
  CHECK(loading.mistakes().find("is external, which is for a swarm") != std::string::npos);
  loading.request.to_run = false;
  const auto spec = loading.load();
  CHECK(spec.warnings.empty());
  CHECK(services_of(spec) == "a b p q");
  CHECK(stackfile::stack_model(spec)["services"]["p"]["provider"]["type"] == "cloud");
}

TEST_CASE("a service of a provider is left out of what runs, with a warning", "[stackfile][choice]") {
  Loading loading("services:\n  p: {provider: {type: cloud}}\n  q: {image: z, depends_on: [p]}\n");
  const auto spec = loading.load();
  CHECK(services_of(spec) == "q");
  CHECK(spec.find("q")->depends_on.empty());
  CHECK(spec.warnings ==
        std::vector<std::string>{"compose.yaml:2:17: service 'p': 'provider' has no effect here"});
}

TEST_CASE("a misspelt key is named, not what follows from it", "[stackfile][choice]") {
  CHECK(Loading("servces: {a: {image: x}}\n").mistakes() ==
        "compose.yaml:1:1: unknown key 'servces' in the file, did you mean 'services'?\n");
}
