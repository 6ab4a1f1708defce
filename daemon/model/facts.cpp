#include "daemon/model/facts.hpp"

#include "daemon/model/fields.hpp"

namespace stackd::model {

nlohmann::json to_json(const Facts& facts) {
  return encode(facts);
}
Facts facts_from_json(const nlohmann::json& value) {
  return decoded<Facts>(value, "facts");
}

}  // namespace stackd::model
