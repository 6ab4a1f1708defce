#include "daemon/translate/labels.hpp"

#include <algorithm>
#include <cstdlib>

namespace stackd::translate {

std::string label_of(const docker::Labels& labels, const char* key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

namespace {

constexpr std::size_t k_kept_digits = 12;

}  // namespace

std::string kept_name(const std::string& id, const std::string& name) {
  return id.substr(0, k_kept_digits) + "_" + name;
}

bool is_kept(const std::string& id, const std::string& name) {
  return id.size() >= k_kept_digits && name.starts_with(kept_name(id, ""));
}

bool is_of_compose(const docker::ContainerSummary& container) {
  return label_of(container, label::k_stack).empty() && !label_of(container, label::k_hash).empty() &&
         label_of(container, label::k_oneoff) == "False";
}

int number_of(const docker::Labels& labels) {
  return std::max(1, std::atoi(label_of(labels, label::k_number).c_str()));
}

}  // namespace stackd::translate
