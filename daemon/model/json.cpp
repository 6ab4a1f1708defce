#include "daemon/model/json.hpp"

#include "daemon/model/fields.hpp"

namespace stackd::model {

nlohmann::json to_json(const Spec& spec) {
  return encode(spec);
}
nlohmann::json to_json(const Service& service) {
  return encode(service);
}
nlohmann::json to_json(const Hook& hook) {
  return encode(hook);
}
nlohmann::json to_json(const Network& network) {
  return encode(network);
}
Spec spec_from_json(const nlohmann::json& value) {
  return decoded<Spec>(value, "spec");
}

}  // namespace stackd::model
