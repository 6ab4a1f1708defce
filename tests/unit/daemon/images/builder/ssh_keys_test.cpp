#include "daemon/images/builder/ssh_keys.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/images/builder/ssh_wire.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/ids.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::builder;

namespace {

struct Directory {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("keys-" + util::random_hex(8));
  Directory() { std::filesystem::create_directory(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  // False where there is no ssh-keygen.
  bool generate(const std::string& options) const {
    const auto command = "ssh-keygen -q -f " + (path / "key").string() + " " + options + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }
  std::string key() const { return (path / "key").string(); }
};

std::string question(char kind, const std::string& body = "") {
  return ssh_string(std::string(1, kind) + body);
}

std::string refusal(const std::string& path) {
  try {
    read_ssh_key(path);
  } catch (const util::Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("numbers of ssh have no needless zeros, and are never negative", "[builder][ssh]") {
  CHECK(ssh_positive(std::string("\0\0\x01", 3)) == std::string("\0\0\0\1\1", 5));
  CHECK(ssh_positive("\x80") == std::string("\0\0\0\2\0\x80", 6));
  CHECK(ssh_positive("") == std::string("\0\0\0\0", 4));
  SshReader reader(std::string_view("\0\0\0\5ab", 6));
  CHECK(reader.string().empty());
  CHECK(!reader.good());
}

TEST_CASE("an agent of no keys lists none, signs nothing, and knows no other question", "[builder][ssh]") {
  KeyAgent agent({});
  CHECK(agent.take(question(11)) == ssh_string(std::string("\x0c\0\0\0\0", 5)));
  CHECK(agent.take(question(13, ssh_string("key") + ssh_string("data") + ssh_number(0))) ==
        ssh_string("\x05"));
  CHECK(agent.take(question(17)) == ssh_string("\x05"));
  // In pieces, and two at once.
  const auto two = question(17) + question(18);
  CHECK(agent.take(two.substr(0, 3)).empty());
  CHECK(agent.take(two.substr(3)) == ssh_string("\x05") + ssh_string("\x05"));
  CHECK(!agent.broken());
  agent.take("\x7f\x7f\x7f\x7f");
  CHECK(agent.broken());
}

TEST_CASE("keys of every kind are read from either format as ssh itself reads them", "[builder][ssh]") {
  for (const std::string options :
       {"-t ed25519 -N ''", "-t rsa -b 2048 -N ''", "-t rsa -b 2048 -m PEM -N ''", "-t ecdsa -b 256 -N ''",
        "-t ecdsa -b 384 -m PEM -N ''", "-t ecdsa -b 521 -m PKCS8 -N ''"}) {
    CAPTURE(options);
    const Directory directory;
    if (!directory.generate(options)) return;
    const auto key = read_ssh_key(directory.key());
    std::ifstream file(directory.key() + ".pub");
    std::string kind, blob;
    file >> kind >> blob;
    std::ofstream(directory.path / "blob", std::ios::binary) << key->public_key();
    const auto same = "[ \"$(base64 -w0 < " + (directory.path / "blob").string() + ")\" = '" + blob + "' ]";
    CHECK(std::system(same.c_str()) == 0);
    KeyAgent agent({key});
    const auto listed = agent.take(question(11));
    CHECK(listed.find(ssh_string(key->public_key())) != std::string::npos);
    const auto answer =
        agent.take(question(13, ssh_string(key->public_key()) + ssh_string("data") + ssh_number(4)));
    REQUIRE(answer.size() > 9);
    CHECK(answer[4] == 14);
    SshReader signature(std::string_view(answer).substr(9));
    CHECK(signature.string() == (kind == "ssh-rsa" ? "rsa-sha2-512" : kind));
  }
}

TEST_CASE("a key with a passphrase, and what is no key, is refused by its name", "[builder][ssh]") {
  for (const std::string options : {"-t ed25519 -N secret", "-t rsa -b 2048 -m PEM -N secret"}) {
    CAPTURE(options);
    const Directory directory;
    if (!directory.generate(options)) return;
    CHECK(refusal(directory.key())
              .find(directory.key() + " as an ssh key for the build: it has a passphrase") !=
          std::string::npos);
  }
  const Directory directory;
  util::write_file(directory.path / "key", "no key\n", 0600, util::Durability::fleeting);
  CHECK(refusal(directory.key()).find("no private key") != std::string::npos);
  CHECK(refusal(directory.key() + "-none").find("key-none") != std::string::npos);
}
