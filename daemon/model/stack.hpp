// Stack: what is known of one stack at a moment: its Spec and its Facts, which never change in place. Copies
// are cheap.
#pragma once

#include <memory>
#include <string>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::model {

struct Stack {
  std::string id;
  std::shared_ptr<const Spec> spec;
  std::shared_ptr<const Facts> facts;

  // One that is gone from the file too, as long as something of it may be left. Throws not_found.
  const Service& service(const std::string& name) const;
};

}  // namespace stackd::model
