#include "daemon/translate/labels.hpp"

#include <algorithm>
#include <cstdlib>

namespace stackd::translate {

std::string label_of(const docker::Labels& labels, const char* key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

int number_of(const docker::Labels& labels) {
  return std::max(1, std::atoi(label_of(labels, label::k_number).c_str()));
}

}  // namespace stackd::translate
