// Which values have not the form that Compose's schema wants of them: a list where a text belongs, a text
// where a mapping does. A number where a text is wanted is that text: what is meant is plain. Pure.
#pragma once

#include <set>
#include <string>

#include "daemon/yaml/reader.hpp"

namespace stackd::compose {

using namespace model;

// Of a document that is merged and interpolated; of its services only those that are to run. What the
// decoders say better (a size, a duration, a port) is left to them, so they come first.
void check_forms(const yaml::Value& document, const std::set<std::string>& services,
                 yaml::Problems& problems);

}  // namespace stackd::compose
