#include "daemon/model/stack.hpp"

#include "daemon/util/error.hpp"

namespace stackd::model {

const Service& Stack::service(const std::string& name) const {
  if (const auto* found = spec->find_known(name)) return *found;
  throw util::Error(util::ErrorKind::not_found, "stack '" + spec->name + "' has no service '" + name + "'");
}

}  // namespace stackd::model
