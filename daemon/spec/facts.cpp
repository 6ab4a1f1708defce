#include "daemon/spec/facts.hpp"

#include "daemon/spec/fields_json.hpp"

namespace stackd::spec {

nlohmann::json to_json(const Facts& facts) {
  return encode(facts);
}
Facts facts_from_json(const nlohmann::json& value) {
  return decoded<Facts>(value, "facts");
}

}  // namespace stackd::spec
