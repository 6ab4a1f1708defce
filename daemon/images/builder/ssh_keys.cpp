#include "daemon/images/builder/ssh_keys.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <optional>

#include "daemon/dotdocker/base64.hpp"
#include "daemon/images/builder/ssh_wire.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::builder {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::size_t k_largest_key = 64 * 1024;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size()), nullptr));
}

std::string bytes_of(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes;
}

std::string positive_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return "";
  const Number freed(number);
  return ssh_positive(bytes_of(number));
}

std::string octets_of(const EVP_PKEY* key, const char* name) {
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(key, name, nullptr, 0, &size);
  std::string bytes(size, '\0');
  EVP_PKEY_get_octet_string_param(key, name, reinterpret_cast<unsigned char*>(bytes.data()), size, &size);
  return bytes;
}

std::string signature(EVP_PKEY* key, const EVP_MD* hash, std::string_view data) {
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, data.size()) != 1)
    return "";
  std::string made(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &size, bytes,
                     data.size()) != 1)
    return "";
  made.resize(size);
  return made;
}

// ---- the three kinds

class Rsa : public SshKey {
public:
  explicit Rsa(Key key) : key_(std::move(key)) {}
  std::string public_key() const override {
    return ssh_string("ssh-rsa") + positive_of(key_.get(), OSSL_PKEY_PARAM_RSA_E) +
           positive_of(key_.get(), OSSL_PKEY_PARAM_RSA_N);
  }
  std::string sign(std::string_view data, std::uint32_t flags) const override {
    constexpr std::uint32_t k_sha256 = 2, k_sha512 = 4;
    const auto* name = flags & k_sha512 ? "rsa-sha2-512" : flags & k_sha256 ? "rsa-sha2-256" : "ssh-rsa";
    const auto* hash = flags & k_sha512 ? EVP_sha512() : flags & k_sha256 ? EVP_sha256() : EVP_sha1();
    const auto made = signature(key_.get(), hash, data);
    return made.empty() ? "" : ssh_string(name) + ssh_string(made);
  }

private:
  Key key_;
};

class Ed25519 : public SshKey {
public:
  explicit Ed25519(Key key) : key_(std::move(key)) {}
  std::string public_key() const override {
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
    return ssh_string("ssh-ed25519") + ssh_string(bytes);
  }
  std::string sign(std::string_view data, std::uint32_t) const override {
    const auto made = signature(key_.get(), nullptr, data);
    return made.empty() ? "" : ssh_string("ssh-ed25519") + ssh_string(made);
  }

private:
  Key key_;
};

struct Curve {
  const char *name, *group;  // ssh's, OpenSSL's
  int bits;
  const EVP_MD* (*hash)();
};
constexpr Curve k_curves[] = {{"nistp256", "prime256v1", 256, EVP_sha256},
                              {"nistp384", "secp384r1", 384, EVP_sha384},
                              {"nistp521", "secp521r1", 521, EVP_sha512}};

class Ecdsa : public SshKey {
public:
  Ecdsa(Key key, const Curve& curve) : key_(std::move(key)), curve_(curve) {
    EVP_PKEY_set_utf8_string_param(key_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
  }
  std::string public_key() const override {
    return ssh_string(name()) + ssh_string(curve_.name) +
           ssh_string(octets_of(key_.get(), OSSL_PKEY_PARAM_PUB_KEY));
  }
  std::string sign(std::string_view data, std::uint32_t) const override {
    const auto made = signature(key_.get(), curve_.hash(), data);
    const auto* bytes = reinterpret_cast<const unsigned char*>(made.data());
    const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> parts(
        d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(made.size())));
    if (!parts) return "";
    return ssh_string(name()) + ssh_string(ssh_positive(bytes_of(ECDSA_SIG_get0_r(parts.get()))) +
                                           ssh_positive(bytes_of(ECDSA_SIG_get0_s(parts.get()))));
  }

private:
  std::string name() const { return std::string("ecdsa-sha2-") + curve_.name; }
  Key key_;
  const Curve& curve_;
};

std::shared_ptr<const SshKey> key_of(Key key) {
  if (!key) return nullptr;
  const int kind = EVP_PKEY_get_base_id(key.get());
  if (kind == EVP_PKEY_RSA) return std::make_shared<Rsa>(std::move(key));
  if (kind == EVP_PKEY_ED25519) return std::make_shared<Ed25519>(std::move(key));
  if (kind == EVP_PKEY_EC)
    for (const auto& curve : k_curves)
      if (EVP_PKEY_get_bits(key.get()) == curve.bits) return std::make_shared<Ecdsa>(std::move(key), curve);
  return nullptr;
}

// ---- files

Key key_of_numbers(const char* kind, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder));
  const std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) != 1)
    return nullptr;
  return Key(key);
}

// The part of OpenSSH's format that may be encrypted, and is not.
Key read_private(SshReader reader) {
  if (reader.number() != reader.number()) return nullptr;
  const std::string kind(reader.string());
  const std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  if (kind == "ssh-ed25519") {
    reader.string();
    const auto seed = reader.string().substr(0, 32);
    if (!reader.good() || seed.size() != 32) return nullptr;
    return Key(EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()), seed.size()));
  }
  if (kind == "ssh-rsa") {
    const auto n = number_of(reader.string()), e = number_of(reader.string()), d = number_of(reader.string());
    const auto inverse = number_of(reader.string()), p = number_of(reader.string()),
               q = number_of(reader.string());
    if (!reader.good()) return nullptr;
    // Without the primes it signs too, only slower; with them OpenSSL wants two more numbers.
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_D, d.get());
    return key_of_numbers("RSA", builder.get());
  }
  for (const auto& curve : k_curves) {
    if (kind != std::string("ecdsa-sha2-") + curve.name) continue;
    reader.string();
    const auto point = reader.string();
    const auto secret = number_of(reader.string());
    if (!reader.good()) return nullptr;
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
    return key_of_numbers("EC", builder.get());
  }
  return nullptr;
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorKind::invalid_file, "cannot use " + path + " as an ssh key for the build: " + why);
}

[[noreturn]] void refuse_encrypted(const std::string& path) {
  refuse(path, "it has a passphrase; `ssh-add` it to an agent, and give the build the agent");
}

// Nothing when the text is of another format.
std::optional<Key> read_openssh(const std::string& path, const std::string& text) {
  constexpr std::string_view k_begin = "-----BEGIN OPENSSH PRIVATE KEY-----",
                             k_end = "-----END OPENSSH PRIVATE KEY-----";
  const auto begin = text.find(k_begin), end = text.find(k_end);
  if (begin == text.npos || end == text.npos || end < begin) return std::nullopt;
  std::string letters;
  for (const char c : text.substr(begin + k_begin.size(), end - begin - k_begin.size()))
    if (c != '\n' && c != '\r' && c != ' ') letters += c;
  const auto bytes = dotdocker::from_base64(letters);
  if (!bytes) return Key();
  constexpr std::string_view k_magic("openssh-key-v1\0", 15);
  SshReader reader(*bytes);
  if (reader.take(k_magic.size()) != k_magic) return Key();
  const auto cipher = reader.string();
  reader.string();  // how a passphrase becomes a key
  reader.string();
  const auto count = reader.number();
  reader.string();  // the public key
  const auto secret = reader.string();
  if (reader.good() && cipher != "none") refuse_encrypted(path);
  return reader.good() && count == 1 ? read_private(SshReader(secret)) : Key();
}

Key read_pem(const std::string& path, const std::string& text) {
  bool asked = false;
  const auto ask = [](char*, int, int, void* told) {
    *static_cast<bool*>(told) = true;
    return -1;
  };
  const std::unique_ptr<BIO, Freed<BIO_free>> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, ask, &asked));
  if (asked) refuse_encrypted(path);
  return key;
}

}  // namespace

std::shared_ptr<const SshKey> read_ssh_key(const std::string& path) {
  std::string text;
  try {
    text = util::read_user_file(path, {.size = k_largest_key});
  } catch (const Error& e) {
    refuse(path, e.what());
  }
  auto key = read_openssh(path, text);
  auto made = key_of(key ? std::move(*key) : read_pem(path, text));
  if (!made) refuse(path, "it is no private key of RSA, ECDSA or Ed25519");
  return made;
}

// ---- an agent

namespace {

enum Message : char { k_failure = 5, k_list = 11, k_listed = 12, k_sign = 13, k_signed = 14 };
constexpr std::size_t k_longest_question = 256 * 1024;

}  // namespace

std::string KeyAgent::answer(std::string_view question) const {
  const std::string failure(1, k_failure);
  if (question.empty()) return failure;
  SshReader reader(question.substr(1));
  if (question.front() == k_list) {
    std::string list = std::string(1, k_listed) + ssh_number(static_cast<std::uint32_t>(keys_.size()));
    for (const auto& key : keys_) list += ssh_string(key->public_key()) + ssh_string("");
    return list;
  }
  if (question.front() != k_sign) return failure;
  const auto wanted = reader.string(), data = reader.string();
  const auto flags = reader.number();
  if (!reader.good()) return failure;
  for (const auto& key : keys_) {
    if (key->public_key() != wanted) continue;
    const auto made = key->sign(data, flags);
    return made.empty() ? failure : std::string(1, k_signed) + ssh_string(made);
  }
  return failure;
}

std::string KeyAgent::take(std::string_view bytes) {
  in_.append(bytes);
  std::string answers;
  while (!broken_ && in_.size() >= 4) {
    SshReader reader(in_);
    const auto length = reader.number();
    broken_ = length > k_longest_question;
    if (broken_ || reader.rest().size() < length) break;
    answers += ssh_string(answer(reader.take(length)));
    in_.erase(0, 4 + length);
  }
  return answers;
}

}  // namespace stackd::builder
