// A service of a Spec as the engine's JSON: the one place where Compose keys meet the Engine API. Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"
#include "daemon/resolve/references.hpp"

namespace stackd::translate {

struct ContainerRequest {
  std::string name, platform;
  nlohmann::json body;  // POST /containers/create
  std::map<std::string, nlohmann::json>
      more_networks;  // engine name -> endpoint settings, to connect after create (API < 1.44)
};

// A container of `run`: one more beside the service's replicas (C9.2, C9.4).
struct OneOff {
  std::string name, slug, run;  // run: what the record of it is called
  bool use_aliases = false;     // on its networks it has the service's names as well
  bool remove = false;          // by the engine, once it has ended
  bool input = false;           // whoever is attached gives it one
};

struct RequestInputs {
  const model::Spec& spec;
  const model::Facts& facts;
  const model::Service& service;
  int number = 1;
  std::string image;     // reference or id to create from
  std::string image_id;  // for the label
  std::string config_hash, operation;
  std::map<std::string, std::string> container_of;  // service -> id, for network_mode: service:x and the like
  std::vector<std::string> kept_volumes;  // "name:/target": anonymous volumes of the container it replaces
  const OneOff* one_off = nullptr;
};

ContainerRequest container_request(const RequestInputs& inputs);
nlohmann::json network_request(const model::Spec& spec, const std::string& key, const std::string& stack,
                               const std::string& operation);
nlohmann::json volume_request(const model::Spec& spec, const std::string& key, const std::string& stack,
                              const std::string& operation);

// ${…} resolved in every string of a tree.
void resolve_all(nlohmann::json& value, resolve::Strictness strictness, const model::Spec& spec,
                 const model::Facts& facts);

}  // namespace stackd::translate
