#include "client/tar.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/support/catch.hpp"

using namespace stackd::client;
using Kind = TarEntry::Kind;

namespace {

struct Read {
  TarEntry entry;
  std::string data;
  bool whole = false;
};

// An archive in pieces of `piece` bytes.
std::vector<Read> read(const std::string& archive, std::size_t piece, bool* ended = nullptr) {
  std::vector<Read> all;
  TarReader reader({[&](const TarEntry& entry) {
                      all.push_back({entry, "", false});
                    },
                    [&](std::string_view data) { all.back().data += data; },
                    [&] { all.back().whole = true; }});
  for (std::size_t at = 0; at < archive.size(); at += piece)
    reader.feed(std::string_view(archive).substr(at, piece));
  if (ended) *ended = reader.ended();
  return all;
}

std::string written(const TarEntry& entry, const std::string& data = "") {
  return tar_header(entry) + data + tar_padding(static_cast<std::int64_t>(data.size()));
}

TarEntry file(const std::string& name, std::int64_t size) {
  TarEntry entry;
  entry.name = name;
  entry.size = size;
  return entry;
}

}  // namespace

TEST_CASE("A tar that is written is read again, however it is cut", "[client]") {
  TarEntry directory;
  directory.kind = Kind::directory;
  directory.name = "dir/";
  directory.mode = 04755;
  TarEntry link;
  link.kind = Kind::link;
  link.name = "dir/link";
  link.link = std::string(300, 'l');
  auto big = file(std::string(250, 'n') + "/file", 700);
  big.uid = 3'000'000;
  big.gid = 12;
  big.modified = 1'700'000'000;
  const auto data = std::string(700, 'd');
  const auto archive =
      written(directory) + written(link) + written(big, data) + written(file("empty", 0)) + tar_end();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{512}, std::size_t{100'000}}) {
    bool ended = false;
    const auto all = read(archive, piece, &ended);
    REQUIRE(all.size() == 4);
    CHECK(ended);
    CHECK(std::all_of(all.begin(), all.end(), [](const auto& one) { return one.whole; }));
    CHECK(all[0].entry.kind == Kind::directory);
    CHECK(all[0].entry.mode == 04755);
    CHECK(all[1].entry.link == link.link);
    CHECK(all[2].entry.name == big.name);
    CHECK(all[2].entry.uid == 3'000'000);
    CHECK(all[2].entry.modified == 1'700'000'000);
    CHECK(all[2].data == data);
    CHECK(all[3].entry.name == "empty");
  }
}

TEST_CASE("A file of more than 8 GB says its size", "[client]") {
  const auto all = read(tar_header(file("huge", std::int64_t{20} << 30)), 512);
  REQUIRE(all.size() == 1);
  CHECK(all[0].entry.size == std::int64_t{20} << 30);
}

TEST_CASE("What is no tar, or is cut short, is not taken for one", "[client]") {
  CHECK_THROWS_AS(read(std::string(512, 'x'), 512), std::runtime_error);
  auto broken = tar_header(file("a", 0));
  broken[0] = 'b';  // its checksum is another's
  CHECK_THROWS_AS(read(broken, 512), std::runtime_error);
  bool ended = true;
  read(written(file("a", 700), std::string(700, 'd')).substr(0, 900), 512, &ended);
  CHECK_FALSE(ended);
  read(written(file("a", 3), "abc"), 512, &ended);
  CHECK(ended);  // some writers leave out the two blocks of zeros
}
