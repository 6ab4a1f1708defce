// The very words of the engines: Docker 20.10.24, 28.5.2 and Podman 4.3.1.
#include "daemon/docker/words.hpp"

#include "tests/support/catch.hpp"

using namespace stackd::docker;

TEST_CASE("a container's health and exit code are in its status line", "[docker][words]") {
  CHECK(health_in("Up 3 seconds (healthy)") == "healthy");
  CHECK(health_in("Up 3 seconds (unhealthy)") == "unhealthy");
  CHECK(health_in("Up Less than a second (health: starting)") == "starting");
  CHECK(health_in("Up 3 seconds") == "");
  CHECK(exit_code_in("Exited (137) 2 minutes ago") == 137);
  CHECK(exit_code_in("Exited (0) Less than a second ago") == 0);
  CHECK_FALSE(exit_code_in("Up 3 seconds (healthy)"));
  CHECK_FALSE(exit_code_in("Created"));
}

TEST_CASE("C11.5: a health event carries its data in the action", "[docker][words]") {
  CHECK(health_in_action("health_status: healthy") == "healthy");
  CHECK(health_in_action("exec_start: /bin/sh -c x") == "");
}

TEST_CASE("errors that mean something are known by their words", "[docker][words]") {
  CHECK(is_being_removed("cannot remove container a: removal of container 0123 is already in progress"));
  CHECK_FALSE(is_being_removed("cannot remove container a: container is running"));
  CHECK(has_active_endpoints(
      "error while removing network: network shop_default id 0123 has active endpoints"));
  CHECK_FALSE(has_active_endpoints("not permitted"));
  CHECK(lost_a_layer(
      "failed to get digest sha256:0123: open /var/lib/docker/image: no such file or directory"));
  CHECK(lost_a_layer("unknown parent image ID sha256:0123"));
  CHECK_FALSE(lost_a_layer("pull access denied"));
}

TEST_CASE("the status of a failed step is in the builder's words", "[docker][words]") {
  CHECK(build_status("The command '/bin/sh -c x' returned a non-zero code: 7") == 7);
  CHECK(build_status("building at STEP \"RUN x\": while running runtime: exit status 3") == 3);
  CHECK(build_status("executor failed running [/bin/sh -c x]: exit code: 7") == 7);
  CHECK(build_status("process \"/bin/sh -c x\" did not complete successfully: exit code: 137") == 137);
  CHECK(build_status("OCI runtime create failed") == -1);
}
