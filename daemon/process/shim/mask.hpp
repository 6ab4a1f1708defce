// Mask: secrets taken out of a stream of output, wherever the pieces begin and end. What may be the beginning
// of a secret is held back until the next piece shows; anything else goes on at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stackd::shim {

class Mask {
public:
  Mask() = default;
  // The longest first. They outlive the mask.
  explicit Mask(const std::vector<std::string>* secrets) : secrets_(secrets) {}
  // What can be shown now; good until the next call.
  std::string_view add(std::string_view text);
  // The rest, at the end of the stream.
  std::string_view rest();

private:
  std::string_view take(bool last);
  std::size_t length_of_secret_at(std::size_t at) const;
  bool may_be_secret(std::size_t at) const;

  const std::vector<std::string>* secrets_ = nullptr;
  std::string held_, shown_;
};

}  // namespace stackd::shim
