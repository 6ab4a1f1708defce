#include "daemon/process/shim/mask.hpp"

namespace stackd::shim {
namespace {

constexpr std::string_view k_mask = "***";

}  // namespace

std::string_view Mask::add(std::string_view text) {
  if (!secrets_ || secrets_->empty()) return text;
  held_ += text;
  return take(false);
}

std::string_view Mask::rest() {
  return take(true);
}

std::string_view Mask::take(bool last) {
  shown_.clear();
  std::size_t at = 0, from = 0;
  while (at < held_.size() && (last || !may_be_secret(at))) {
    const auto length = length_of_secret_at(at);
    if (length == 0) {
      ++at;
      continue;
    }
    shown_.append(held_, from, at - from).append(k_mask);
    at += length;
    from = at;
  }
  shown_.append(held_, from, at - from);
  held_.erase(0, at);
  return shown_;
}

std::size_t Mask::length_of_secret_at(std::size_t at) const {
  const auto here = std::string_view(held_).substr(at);
  for (const auto& secret : *secrets_)
    if (here.starts_with(secret)) return secret.size();
  return 0;
}

// What is left of the text is the beginning of a secret, and the secret is longer.
bool Mask::may_be_secret(std::size_t at) const {
  const auto here = std::string_view(held_).substr(at);
  for (const auto& secret : *secrets_)
    if (secret.size() > here.size() && std::string_view(secret).starts_with(here)) return true;
  return false;
}

}  // namespace stackd::shim
