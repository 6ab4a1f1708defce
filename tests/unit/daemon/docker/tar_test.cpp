#include "daemon/docker/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <memory>
#include <vector>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using docker::TarWriter;

namespace {

// By somebody else's reader.
struct Read {
  std::string path, link, text;
  mode_t mode;
  std::int64_t size, uid, gid, mtime;
};
std::vector<Read> read(const std::string& tar, bool with_data = true) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  REQUIRE(archive_read_open_memory(reader.get(), tar.data(), tar.size()) == ARCHIVE_OK);
  std::vector<Read> all;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    const char* link = archive_entry_symlink(entry);
    Read one{archive_entry_pathname(entry), link ? link : "",          "",
             archive_entry_mode(entry),     archive_entry_size(entry), archive_entry_uid(entry),
             archive_entry_gid(entry),      archive_entry_mtime(entry)};
    if (with_data && one.size > 0) {
      one.text.resize(static_cast<std::size_t>(one.size));
      CHECK(archive_read_data(reader.get(), one.text.data(), one.text.size()) == one.size);
    }
    all.push_back(std::move(one));
    if (!with_data) break;
  }
  return all;
}

std::string written(const std::function<void(TarWriter&)>& write, std::size_t block = 10240) {
  std::string tar;
  TarWriter writer(
      [&](std::string_view part) {
        CHECK(part.size() <= block);
        tar += part;
        return true;
      },
      block);
  write(writer);
  writer.close();
  return tar;
}

}  // namespace

TEST_CASE("Names and targets of any length come out as they went in", "[docker]") {
  for (const std::size_t length : {1, 99, 100, 101, 155, 256, 511, 512, 513, 3000}) {
    const std::string name = "d/" + std::string(length, 'n'), target(length, 't');
    const auto all = read(written([&](TarWriter& tar) {
      tar.file({.path = name, .mode = 0644}, "text");
      tar.begin({.path = name + "l", .mode = S_IFLNK | 0777, .link = target});
      tar.begin({.path = name + "d", .mode = S_IFDIR | 0755});
      tar.file({.path = "last"}, "end");
    }));
    INFO(length);
    REQUIRE(all.size() == 4);
    CHECK(all[0].path == name);
    CHECK(all[0].text == "text");
    CHECK(all[1].link == target);
    CHECK(S_ISLNK(all[1].mode));
    CHECK(all[2].path == name + "d/");
    CHECK(S_ISDIR(all[2].mode));
    CHECK(all[3].text == "end");
  }
}

TEST_CASE("A name is its bytes, be they text or not", "[docker]") {
  const std::string name = "gr\xc3\xbc\xc3\x9f-\xff\xfe";
  CHECK(read(written([&](TarWriter& tar) { tar.file({.path = name}, ""); })).at(0).path == name);
}

TEST_CASE("Numbers that have too many digits for a head are told all the same", "[docker]") {
  const auto all = read(written([](TarWriter& tar) {
    tar.file({.path = "a", .mode = 0600, .mtime = 1'900'000'000, .uid = 2097151, .gid = 2097152}, "x");
    tar.file({.path = "b", .mtime = 5, .uid = 2000000000, .gid = 0}, "");
  }));
  REQUIRE(all.size() == 2);
  CHECK(all[0].uid == 2097151);
  CHECK(all[0].gid == 2097152);
  CHECK(all[0].mtime == 1'900'000'000);
  CHECK((all[0].mode & 07777) == 0600);
  CHECK(all[1].uid == 2000000000);
  CHECK(all[1].mtime == 5);

  std::string tar;
  TarWriter writer(
      [&](std::string_view part) {
        tar += part;
        return tar.size() < 512;
      },
      512);
  constexpr std::int64_t k_large = std::int64_t{9} << 30;
  CHECK_THROWS_AS(writer.begin({.path = "large", .mode = S_IFREG | 0644, .size = k_large}), util::Error);
  CHECK(read(tar, false).at(0).size == k_large);
}

TEST_CASE("A file has the size that was said: zeros for what is missing, nothing of what is too much",
          "[docker]") {
  const auto all = read(written([](TarWriter& tar) {
    tar.begin({.path = "short", .mode = S_IFREG | 0644, .size = 600});
    tar.data("abc");
    tar.begin({.path = "long", .mode = S_IFREG | 0644, .size = 4});
    tar.data("abc");
    tar.data("defgh");
    tar.file({.path = "last"}, "z");
  }));
  REQUIRE(all.size() == 3);
  CHECK(all[0].text == "abc" + std::string(597, '\0'));
  CHECK(all[1].text == "abcd");
  CHECK(all[2].text == "z");
}

TEST_CASE("The size of its blocks does not change a tar, and all of them but the last are full", "[docker]") {
  const auto write = [](TarWriter& tar) {
    tar.file({.path = "a"}, std::string(1000, 'a'));
    tar.file({.path = std::string(200, 'b')}, std::string(512, 'b'));
  };
  const auto whole = written(write);
  for (const std::size_t block : {1, 7, 512, 513, 100000}) CHECK(written(write, block) == whole);
}
