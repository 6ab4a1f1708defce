#include "daemon/spec/json.hpp"

#include "daemon/spec/fields_json.hpp"

namespace stackd::spec {

nlohmann::json to_json(const Spec& spec) {
  return encode(spec);
}
nlohmann::json to_json(const Service& service) {
  return encode(service);
}
nlohmann::json to_json(const Hook& hook) {
  return encode(hook);
}
Spec spec_from_json(const nlohmann::json& value) {
  return decoded<Spec>(value, "spec");
}

}  // namespace stackd::spec
