// What things are made from, as hashes: whether what is there is still what the files say (C8). Pure.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "daemon/model/stack.hpp"

namespace stackd::translate {

// Of a network or volume; its label `dev.stackd.hash`.
std::string definition_of(const model::Network& network);
std::string definition_of(const model::Volume& volume);

// Services that a container names as service:x, or takes volumes from: its request has their containers' ids.
std::vector<std::string> services_referred_to(const model::Container& container);
// config_hash, with the ids of the containers that it refers to (C8.1). `container_of`: service -> id.
std::string container_definition(const model::Stack& stack, const model::Service& service,
                                 const std::map<std::string, std::string>& container_of);
// Of a process: command, directory and environment.
std::string process_definition(const model::Stack& stack, const model::Service& service);
nlohmann::json process_document(const model::Stack& stack, const model::Service& service);  // what is hashed

}  // namespace stackd::translate
