// proto/openapi.yaml and the server describe the same API.
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <set>

#include "proto/error_codes.hpp"
#include "proto/fields.hpp"
#include "tests/support/source_root.hpp"
#include "tests/unit/daemon/api/fixture.hpp"

using namespace stackd;
using test::ApiFixture;

namespace {

const YAML::Node& document() {
  static const YAML::Node node = YAML::LoadFile((test::source_root() / "proto/openapi.yaml").string());
  return node;
}

// A node, or what its $ref stands for.
YAML::Node resolved(const YAML::Node& node) {
  if (!node.IsMap() || !node["$ref"]) return node;
  const auto path = node["$ref"].as<std::string>();
  REQUIRE(path.rfind("#/", 0) == 0);
  YAML::Node at = document();
  std::istringstream parts(path.substr(2));
  for (std::string part; std::getline(parts, part, '/');) {
    at.reset(at[part]);
    INFO(path);
    REQUIRE(at.IsDefined());
  }
  return at;
}

struct Described {
  std::string method, path;
  YAML::Node operation;
  std::vector<YAML::Node> parameters;  // of the path and of the operation
};

std::vector<Described> described() {
  std::vector<Described> all;
  for (const auto& path : document()["paths"]) {
    for (const auto& entry : path.second) {
      auto method = entry.first.as<std::string>();
      if (method == "parameters") continue;
      std::transform(method.begin(), method.end(), method.begin(),
                     [](unsigned char c) { return std::toupper(c); });
      Described one{method, path.first.as<std::string>(), entry.second, {}};
      for (const auto& list : {path.second["parameters"], entry.second["parameters"]})
        if (list)
          for (const auto& parameter : list) one.parameters.push_back(resolved(parameter));
      all.push_back(std::move(one));
    }
  }
  return all;
}

nlohmann::json as_json(const YAML::Node& node) {
  if (node.IsMap()) {
    auto json = nlohmann::json::object();
    for (const auto& entry : node) json[entry.first.as<std::string>()] = as_json(entry.second);
    return json;
  }
  if (node.IsSequence()) {
    auto json = nlohmann::json::array();
    for (const auto& item : node) json.push_back(as_json(item));
    return json;
  }
  const bool quoted = node.Tag() == "!";
  bool truth = false;
  std::int64_t number = 0;
  if (!quoted && YAML::convert<std::int64_t>::decode(node, number)) return number;
  if (!quoted && YAML::convert<bool>::decode(node, truth)) return truth;
  return node.as<std::string>();
}

template <class T>
void check_schema(const std::string& name) {
  INFO(name);
  const auto schema = document()["components"]["schemas"][name];
  REQUIRE(schema.IsDefined());
  std::set<std::string> expected, always, described_names, required;
  T object;
  proto::Fields<T>::each(object, [&](const char* field, auto&, proto::Show show) {
    expected.insert(field);
    if (show == proto::Show::always) always.insert(field);
  });
  for (const auto& property : schema["properties"]) described_names.insert(property.first.as<std::string>());
  for (const auto& field : schema["required"]) required.insert(field.as<std::string>());
  CHECK(described_names == expected);
  CHECK(required == always);
}

}  // namespace

TEST_CASE("Every route is described, and every description has its route", "[api]") {
  std::set<std::string> routes, descriptions;
  ApiFixture fixture;
  for (const auto& route : fixture.server->router().routes())
    routes.insert(std::string(route.method) + " " + std::string(route.pattern));
  for (const auto& one : described()) descriptions.insert(one.method + " " + one.path);
  CHECK(descriptions == routes);
}

TEST_CASE("Schemas have the fields that go over the wire", "[api]") {
  check_schema<proto::Problem>("Problem");
  check_schema<proto::UpOptions>("UpOptions");
  check_schema<proto::UpRequest>("UpRequest");
  check_schema<proto::ImagesRequest>("ImagesRequest");
  check_schema<proto::DownRequest>("DownRequest");
  check_schema<proto::ServicesRequest>("ServicesRequest");
  check_schema<proto::HooksRunRequest>("HooksRunRequest");
  check_schema<proto::HooksResetRequest>("HooksResetRequest");
  check_schema<proto::PruneRequest>("PruneRequest");
  check_schema<proto::PlanRequest>("PlanRequest");
  check_schema<proto::PlanChange>("PlanChange");
  check_schema<proto::PlanAction>("PlanAction");
  check_schema<proto::Plan>("Plan");
  check_schema<proto::Port>("Port");
  check_schema<proto::ContainerView>("ContainerView");
  check_schema<proto::Service>("Service");
  check_schema<proto::StepView>("StepView");
  check_schema<proto::FailureCause>("FailureCause");
  check_schema<proto::OperationError>("OperationError");
  check_schema<proto::Operation>("Operation");
  check_schema<proto::Stack>("Stack");
  check_schema<proto::TopContainer>("TopContainer");
  check_schema<proto::TopProcess>("TopProcess");
  check_schema<proto::TopService>("TopService");
  check_schema<proto::Top>("Top");
  check_schema<proto::HookRun>("HookRun");
  check_schema<proto::Event>("Event");
  check_schema<proto::LogLine>("LogLine");
  check_schema<proto::Validation>("Validation");
  check_schema<proto::Config>("Config");
  check_schema<proto::GraphEdge>("GraphEdge");
  check_schema<proto::GraphNode>("GraphNode");
  check_schema<proto::Graph>("Graph");
  check_schema<proto::Command>("Command");
  check_schema<proto::Surroundings>("Surroundings");
  check_schema<proto::PublishedPort>("PublishedPort");
  check_schema<proto::ContainerRow>("ContainerRow");
  check_schema<proto::ContainersRequest>("ContainersRequest");
  check_schema<proto::ContainersDone>("ContainersDone");
  check_schema<proto::VolumeView>("VolumeView");
  check_schema<proto::WindowSize>("WindowSize");
  check_schema<proto::ExecRequest>("ExecRequest");
  check_schema<proto::RunRequest>("RunRequest");
  check_schema<proto::AttachRequest>("AttachRequest");
  check_schema<proto::PathStat>("PathStat");
  check_schema<proto::ImageRow>("ImageRow");
  check_schema<proto::StatsRow>("StatsRow");
  check_schema<proto::Stats>("Stats");
  check_schema<proto::ContainerEvent>("ContainerEvent");
  check_schema<proto::ExecStarted>("ExecStarted");
  check_schema<proto::ExecResult>("ExecResult");
  check_schema<proto::Info>("Info");
}

TEST_CASE("The described error codes are the ones there are", "[api]") {
  std::set<std::string> codes, described_codes;
  for (const auto& entry : proto::k_error_codes) codes.insert(std::string(entry.code));
  for (const auto& code : document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    described_codes.insert(code.as<std::string>());
  CHECK(described_codes == codes);
}

TEST_CASE("Every call says what its errors are and has an example, every name in a path is a parameter",
          "[api]") {
  for (const auto& one : described()) {
    CAPTURE(one.method, one.path);
    CHECK(one.operation["summary"]);
    CHECK(one.operation["operationId"]);
    REQUIRE(one.operation["responses"]["default"]);
    bool example = false;
    for (const auto& response : one.operation["responses"]) {
      const auto content = resolved(response.second)["content"];
      if (!content) {
        example |= response.first.as<std::string>() == "204";
        continue;
      }
      for (const auto& type : content) {
        CHECK(type.second["schema"]);
        CHECK(type.second["example"]);
        example = true;
      }
    }
    CHECK(example);
    if (one.operation["requestBody"])
      for (const auto& type : one.operation["requestBody"]["content"]) CHECK(type.second["example"]);
    for (const auto& parameter : one.parameters) {
      CAPTURE(parameter["name"].as<std::string>());
      CHECK(parameter["example"]);
      if (parameter["in"].as<std::string>() == "path")
        CHECK(one.path.find("{" + parameter["name"].as<std::string>() + "}") != std::string::npos);
    }
    for (auto at = one.path.find('{'); at != std::string::npos; at = one.path.find('{', at + 1)) {
      const auto name = one.path.substr(at + 1, one.path.find('}', at) - at - 1);
      CHECK(std::any_of(one.parameters.begin(), one.parameters.end(),
                        [&](const auto& p) { return p["name"].template as<std::string>() == name; }));
    }
  }
}

TEST_CASE("The server takes every described parameter and body, and no other", "[api]") {
  ApiFixture fixture;
  for (const auto& one : described()) {
    std::string target = one.path, query;
    for (const auto& parameter : one.parameters) {
      const auto name = parameter["name"].as<std::string>(), example = parameter["example"].as<std::string>();
      if (parameter["in"].as<std::string>() == "path")
        target.replace(target.find("{" + name + "}"), name.size() + 2, "unknown-one");
      if (parameter["in"].as<std::string>() == "query")
        query += (query.empty() ? "?" : "&") + name + "=" + example;
    }
    CAPTURE(one.method, target, query);
    // Nothing of that name is there: 404 means that the parameters were read. What has no name in its path
    // begins to work.
    if (one.path.find('{') == std::string::npos) continue;
    const auto ask = [&](const std::string& q) {
      auto client = fixture.client();
      client.request(one.method, target + q, one.method == "POST" ? "{}" : "");
      return client.answer().status;
    };
    CHECK(ask(query) == 404);
    CHECK(ask("?surely_unknown=1") == 400);
  }
}

TEST_CASE("The described examples of bodies are taken", "[api]") {
  ApiFixture fixture;
  int bodies = 0;
  for (const auto& one : described()) {
    if (!one.operation["requestBody"] || !one.operation["requestBody"]["content"]["application/json"])
      continue;
    auto target = one.path;
    if (const auto at = target.find("{id}"); at != std::string::npos) target.replace(at, 4, "shop");
    const auto body = as_json(one.operation["requestBody"]["content"]["application/json"]["example"]);
    CAPTURE(target, body.dump());
    const auto status = fixture.client().post(target, body.dump()).status;
    CHECK((status == 200 || status == 202));
    ++bodies;
  }
  CHECK(bodies == 23);
}
