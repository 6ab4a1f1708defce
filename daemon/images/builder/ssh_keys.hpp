// Private keys of ssh that a build may use: read from their files, and served in an agent's protocol. They
// sign; what they are never leaves this program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stackd::builder {

class SshKey {
public:
  virtual ~SshKey() = default;
  // As ssh writes it on the wire.
  virtual std::string public_key() const = 0;
  // `flags` as an agent is given them: which hash an RSA key is to use. Empty when it cannot.
  virtual std::string sign(std::string_view data, std::uint32_t flags) const = 0;
};

// Of OpenSSH's own format or PEM: RSA, ECDSA, Ed25519. Throws util::Error invalid_file with the path: what
// cannot be read, what has a passphrase, what is no key. Blocks.
std::shared_ptr<const SshKey> read_ssh_key(const std::string& path);

using SshKeys = std::vector<std::shared_ptr<const SshKey>>;

// One client of an agent that has these keys, and lists them and signs, nothing else.
class KeyAgent {
public:
  explicit KeyAgent(SshKeys keys) : keys_(std::move(keys)) {}
  // What the client says next; returns the answers that are due.
  std::string take(std::string_view bytes);
  // It said something that no client says.
  bool broken() const { return broken_; }

private:
  std::string answer(std::string_view question) const;
  SshKeys keys_;
  std::string in_;
  bool broken_ = false;
};

}  // namespace stackd::builder
