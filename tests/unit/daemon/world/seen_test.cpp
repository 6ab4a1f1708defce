#include "daemon/world/seen.hpp"

#include <filesystem>

#include "daemon/resolve/environment.hpp"
#include "daemon/util/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loop_thread.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
namespace fs = std::filesystem;

namespace {

// A stack whose one process runs in `apps/api`, in a directory that is reached by a symbolic link too.
struct OnDisk {
  OnDisk() {
    real = fs::canonical(directory.path()).string() + "/real";
    fs::create_directories(real);
    fs::create_symlink(real, directory.path() / "link");
    spec.directory = (directory.path() / "link").string();
    model::Service api;
    api.name = "api";
    api.process.emplace().cwd = spec.directory + "/apps/api";
    spec.services.push_back(api);
    facts.caller["PATH"] = "/usr/bin";
  }
  void secret(const std::string& name, const std::string& file) { spec.secrets[name].file = file; }
  model::Seen look() const { return world::look_at_files(spec, facts); }
  // The process's variable, after a look.
  std::string variable(const std::string& name) {
    facts.seen = look();
    return resolve::process_environment(spec, facts, spec.services[0]).at(name);
  }

  test::TempDir directory;
  std::string real;
  model::Spec spec;
  model::Facts facts;
};

}  // namespace

TEST_CASE("L3.1: PWD and PATH are what is on the disk at each look", "[world][seen]") {
  OnDisk disk;
  const auto& written = disk.spec.services[0].process->cwd;
  CHECK(disk.variable("PWD") == written);  // it is not there yet
  CHECK(disk.variable("PATH") == "/usr/bin");
  disk.directory.write("real/apps/api/package.json", "{}");
  CHECK(disk.variable("PWD") == disk.real + "/apps/api");
  CHECK(disk.variable("PATH") == disk.real + "/apps/api/node_modules/.bin:/usr/bin");
  disk.directory.write("real/package.json", "{}");
  disk.directory.write("package.json", "{}");  // above the stack's directory: nothing to it
  CHECK(disk.variable("PATH") ==
        disk.real + "/apps/api/node_modules/.bin:" + disk.real + "/node_modules/.bin:/usr/bin");
  fs::remove_all(disk.real + "/apps");
  CHECK(disk.variable("PWD") == written);
}

TEST_CASE("of the files of secrets what they hold is seen, of those that can be read and are no pictures",
          "[world][seen]") {
  OnDisk disk;
  const auto in = [&](const std::string& name) { return (disk.directory.path() / name).string(); };
  disk.secret("a", disk.directory.write("a.txt", "swordfish\n").string());
  disk.secret("directory", disk.directory.path().string());
  disk.secret("empty", disk.directory.write("empty", "").string());
  disk.secret("largest", disk.directory.write("largest", std::string(65536, 'l')).string());
  disk.secret("later", in("later"));
  disk.secret("picture", disk.directory.write("picture", std::string(65537, 'p')).string());
  disk.spec.secrets["inline"].content = "not-a-file";
  CHECK(disk.look().secret_texts == std::vector<std::string>{"swordfish\n", std::string(65536, 'l')});
  disk.directory.write("later", "made by a hook");
  CHECK(disk.look().secret_texts.back() == "made by a hook");
}

TEST_CASE("the look is taken beside the loop, and what somebody holds does not change under him",
          "[world][seen]") {
  OnDisk disk;
  test::LoopThread loop;
  async::UserFiles files(loop.executor());
  const model::Stack stack{"id", std::make_shared<model::Spec>(disk.spec),
                           std::make_shared<model::Facts>(disk.facts)};
  disk.directory.write("real/apps/api/package.json", "{}");
  const auto looked = loop.run<model::Stack>([&] { return world::looked_at(files, stack); });
  CHECK(looked.facts->seen.node_packages.contains(disk.real + "/apps/api"));
  CHECK(looked.spec == stack.spec);
  CHECK(stack.facts->seen.node_packages.empty());

  // Nothing new: the very same facts, so that nobody copies them for nothing.
  const auto again = loop.run<model::Stack>([&] { return world::looked_at(files, looked); });
  CHECK(again.facts == looked.facts);
}
