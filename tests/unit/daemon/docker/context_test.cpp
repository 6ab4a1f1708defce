#include "daemon/docker/context.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using docker::ContextOptions;
namespace fs = std::filesystem;

namespace {

struct File {
  mode_t mode;
  std::string text, link;
  long uid, gid;
  std::time_t mtime;
};
using Files = std::map<std::string, File>;

Files read_tar(const std::string& tar) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  REQUIRE(archive_read_open_memory(reader.get(), tar.data(), tar.size()) == ARCHIVE_OK);
  Files files;
  archive_entry* entry = nullptr;
  int result;
  while ((result = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
    std::string path = archive_entry_pathname(entry);
    if (path.back() == '/') path.pop_back();
    File file{archive_entry_mode(entry),
              std::string(static_cast<std::size_t>(archive_entry_size(entry)), '\0'),
              archive_entry_symlink(entry) ? archive_entry_symlink(entry) : "",
              archive_entry_uid(entry),
              archive_entry_gid(entry),
              archive_entry_mtime(entry)};
    if (!file.text.empty())
      REQUIRE(archive_read_data(reader.get(), file.text.data(), file.text.size()) ==
              static_cast<la_ssize_t>(file.text.size()));
    CHECK(files.emplace(path, std::move(file)).second);  // nothing twice
  }
  REQUIRE(result == ARCHIVE_EOF);
  return files;
}

awaitable<std::string> drain(docker::BodySource source) {
  std::string whole;
  for (auto piece = co_await source(); !piece.empty(); piece = co_await source()) whole += piece;
  co_return whole;
}

struct Packed {
  Files files;
  std::string dockerfile;
};

Packed pack(ContextOptions options) {
  Packed packed;
  const auto tar = test::run_coro([&](asio::any_io_executor executor) {
    auto context = docker::open_context(executor, options);
    packed.dockerfile = context.dockerfile;
    return drain(context.source);
  });
  packed.files = read_tar(tar);
  return packed;
}

std::vector<std::string> names(const Files& files) {
  std::vector<std::string> result;
  for (const auto& [name, _] : files) result.push_back(name);
  return result;
}

}  // namespace

TEST_CASE("A context is the directory: files, links, modes and times, owned by root", "[docker]") {
  const test::TempDir dir;
  dir.write("Dockerfile", "FROM scratch\n");
  const auto script = dir.write("bin/run.sh", "#!/bin/sh\n");
  fs::permissions(script, fs::perms::owner_all);
  fs::last_write_time(script, fs::file_time_type::clock::now() - std::chrono::hours(48));
  fs::create_symlink("../missing", dir.path() / "bin/link");
  fs::create_directory(dir.path() / "empty");
  const std::string big(300000, 'b');
  dir.write("big", big);
  const std::string long_name = std::string(90, 'd') + "/" + std::string(90, 'e') + "/\xc3\xa4 b";
  dir.write(long_name, "x");
  REQUIRE(::mkfifo((dir.path() / "pipe").c_str(), 0600) == 0);

  const auto packed = pack({.directory = dir.path()});
  CHECK(packed.dockerfile == "Dockerfile");
  CHECK(packed.files.at("big").text == big);
  CHECK(packed.files.at(long_name).text == "x");
  CHECK(packed.files.contains("empty"));
  CHECK_FALSE(packed.files.contains("pipe"));
  CHECK_FALSE(packed.files.contains(".dockerignore"));
  CHECK(packed.files.at("bin/link").link == "../missing");
  struct stat status {};
  REQUIRE(::stat(script.c_str(), &status) == 0);
  const auto& packed_script = packed.files.at("bin/run.sh");
  CHECK((packed_script.mode & 07777) == 0700);
  CHECK(packed_script.mtime == status.st_mtime);
  CHECK(packed_script.uid == 0);
  CHECK(packed_script.gid == 0);
}

TEST_CASE("What .dockerignore names is left out, but for the Dockerfile and itself", "[docker]") {
  const test::TempDir dir;
  dir.write("Dockerfile", "FROM scratch\n");
  dir.write(".dockerignore", "*\n!src\nsrc/*.log\n!src/deep/**/keep.log\n");
  dir.write("secret", "s");
  dir.write("src/a.c", "a");
  dir.write("src/a.log", "a");
  dir.write("other/deep/keep.log", "a");
  dir.write("src/deep/x/keep.log", "a");
  const auto packed = pack({.directory = dir.path()});
  CHECK(names(packed.files) == std::vector<std::string>{".dockerignore", "Dockerfile", "src", "src/a.c",
                                                        "src/deep", "src/deep/x", "src/deep/x/keep.log"});
}

TEST_CASE("An exception inside an excluded directory brings the directories on its way", "[docker]") {
  const test::TempDir dir;
  dir.write("Dockerfile", "FROM scratch\n");
  dir.write(".dockerignore", "a\n!a/b/keep\n");
  dir.write("a/b/keep", "k");
  dir.write("a/b/drop", "d");
  dir.write("a/c/drop", "d");
  const auto packed = pack({.directory = dir.path()});
  CHECK(names(packed.files) ==
        std::vector<std::string>{".dockerignore", "Dockerfile", "a", "a/b", "a/b/keep"});
}

TEST_CASE("A Dockerfile's own ignore file goes before the common one", "[docker]") {
  const test::TempDir dir;
  dir.write("docker/app.Dockerfile", "FROM scratch\n");
  dir.write("docker/app.Dockerfile.dockerignore", "drop\n");
  dir.write(".dockerignore", "keep\n");
  dir.write("keep", "k");
  dir.write("drop", "d");
  const auto packed = pack({.directory = dir.path(), .dockerfile = "docker/app.Dockerfile"});
  CHECK(packed.dockerfile == "docker/app.Dockerfile");
  CHECK(packed.files.contains("keep"));
  CHECK_FALSE(packed.files.contains("drop"));
}

TEST_CASE("An inline Dockerfile is sent under a name that COPY does not see", "[docker]") {
  const test::TempDir dir;
  dir.write("Dockerfile", "FROM other\n");
  dir.write(".dockerignore", "drop");
  dir.write("drop", "d");
  ContextOptions options{.directory = dir.path(), .dockerfile_inline = "FROM scratch\n"};
  const auto packed = pack(options);
  CHECK(packed.dockerfile.starts_with(".dockerfile."));
  CHECK(packed.files.at(packed.dockerfile).text == "FROM scratch\n");
  CHECK(packed.files.at("Dockerfile").text == "FROM other\n");
  CHECK(packed.files.at(".dockerignore").text == "drop\n" + packed.dockerfile + "\n.dockerignore\n");
  CHECK_FALSE(packed.files.contains("drop"));
  CHECK(pack(options).dockerfile == packed.dockerfile);  // so that the builder's cache holds
}

TEST_CASE("A Dockerfile outside of the directory, or linked out of it, is sent along", "[docker]") {
  const test::TempDir dir;
  const auto outside = dir.write("build/Dockerfile.dev", "FROM outside\n");
  dir.write("app/main.c", "m");
  fs::create_symlink("../build/Dockerfile.dev", dir.path() / "app/Dockerfile");
  for (const std::string& name :
       {std::string("../build/Dockerfile.dev"), outside.string(), std::string("Dockerfile")}) {
    INFO(name);
    const auto packed = pack({.directory = dir.path() / "app", .dockerfile = name});
    CHECK(packed.files.at(packed.dockerfile).text == "FROM outside\n");
    CHECK(packed.files.contains("main.c"));
  }
  const auto inside = pack({.directory = dir.path(), .dockerfile = outside});
  CHECK(inside.dockerfile == "build/Dockerfile.dev");
}

TEST_CASE("A context may be made of texts only, and texts go before files", "[docker]") {
  const auto texts = pack({.dockerfile_inline = "FROM scratch\n", .extra_files = {{"init/run", "echo"}}});
  CHECK(texts.dockerfile == "Dockerfile");
  CHECK(names(texts.files) == std::vector<std::string>{"Dockerfile", "init/run"});

  const test::TempDir dir;
  dir.write("Dockerfile", "FROM scratch\n");
  dir.write("init", "old");
  CHECK(pack({.directory = dir.path(), .extra_files = {{"init", "new"}}}).files.at("init").text == "new");
}

TEST_CASE("A directory or a Dockerfile that is not there is said at once", "[docker]") {
  const test::TempDir dir;
  asio::io_context loop;
  const auto message = [&](ContextOptions options) {
    try {
      docker::open_context(loop.get_executor(), options);
    } catch (const util::Error& e) {
      CHECK(e.kind() == util::ErrorKind::not_found);
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  const auto path = fs::canonical(dir.path()).string();
  CHECK(message({.directory = path + "/none"}) ==
        "cannot read the build context " + path + "/none: No such file or directory");
  CHECK(message({.directory = path}) ==
        "cannot read the Dockerfile " + path + "/Dockerfile: No such file or directory");
  CHECK(message({}) == "cannot build without a directory: there is no Dockerfile");
}

TEST_CASE("A file that cannot be read ends the stream with an error that names it", "[docker]") {
  // Here are files that are for writing only: not even root can read them.
  const std::string directory = "/sys/bus/platform";
  ContextOptions options{.directory = directory, .extra_files = {{"Dockerfile", "FROM scratch\n"}}};
  try {
    pack(options);
    FAIL("nothing was thrown");
  } catch (const util::Error& e) {
    CHECK(e.kind() == util::ErrorKind::io);
    CHECK(std::string(e.what()).starts_with("cannot read " + directory + "/"));
  }
}

TEST_CASE("A context that nobody reads on stops its thread", "[docker]") {
  const test::TempDir dir;
  dir.write("Dockerfile", "FROM scratch\n");
  for (int i = 0; i < 40; ++i) dir.write("file" + std::to_string(i), std::string(100000, 'x'));
  const auto first = test::run_coro([&](asio::any_io_executor executor) -> awaitable<std::string> {
    auto context = docker::open_context(executor, {.directory = dir.path()});
    co_return co_await context.source();
  });
  // The thread was joined when the context went away; otherwise the sanitizers would tell.
  CHECK_FALSE(first.empty());
}

TEST_CASE("A tar in memory has its files with owner and mode", "[docker]") {
  const auto files =
      read_tar(docker::make_tar({{"/run/secrets/key", {"k", 0400, 1000, 1001}}, {"empty", {}}}));
  CHECK(names(files) == std::vector<std::string>{"empty", "run/secrets/key"});
  const auto& key = files.at("run/secrets/key");
  CHECK(key.text == "k");
  CHECK((key.mode & 07777) == 0400);
  CHECK(key.uid == 1000);
  CHECK(key.gid == 1001);
  CHECK((files.at("empty").mode & 07777) == 0644);
}
