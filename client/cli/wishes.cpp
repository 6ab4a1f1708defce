// What changes a stack: up and down, stop, start and restart, and what shows them beforehand.
#include <memory>

#include "client/cli/builders.hpp"
#include "client/commands/commands.hpp"

namespace stackd::client {
namespace {

// CLI11's own check of a number tells its whole range.
std::string check_seconds(const std::string& text) {
  const bool good =
      !text.empty() && text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos;
  return good ? "" : "expected a number of seconds, not '" + text + "'";
}

void add_dry_run(CLI::App& app, bool& dry_run) {
  app.add_flag("--dry-run", dry_run, "Show what would be done, and why; 10 when there is something to do");
}

// What decides about what an up does; of `up` and of `diff`.
void add_up_choices(CLI::App& app, const std::shared_ptr<UpArgs>& args) {
  app.add_option("services", args->services, "Only these, and what they depend on")->type_name("SERVICE");
  app.add_flag("--build", args->build, "Build images before starting");
  app.add_flag("--rebuild", args->rebuild, "Build images without their cache");
  app.add_option("--pull", args->pull, "When to pull images")
      ->type_name("POLICY")
      ->check(CLI::IsMember({"always", "missing", "never", "build", "policy"}));
  app.add_flag("--force-recreate", args->force_recreate, "Make containers anew although nothing changed");
  app.add_flag("--no-recreate", args->no_recreate, "Take what is there as it is, changed or not");
  app.add_flag("--always-recreate-deps", args->always_recreate_deps,
               "Make anew what the services depend on, changed or not");
  app.add_flag("-V,--renew-anon-volumes", args->renew_anon_volumes,
               "Make containers anew, with new anonymous volumes");
  app.add_flag("--adopt", args->adopt, "Take over what Docker Compose has up of this project");
  app.add_flag("--no-build", args->no_build, "Do not build an image that is not there");
  app.add_flag("--no-start", args->no_start, "Make containers, and start nothing");
  app.add_option("--skip-hooks", args->skip_hooks,
                 "Leave out this hook, or all of a phase: after_up[0], db.post_start")
      ->type_name("HOOK")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  app.add_flag("--no-deps", args->no_deps, "Leave out what the services depend on");
  app.add_flag("--remove-orphans", args->remove_orphans,
               "Remove containers of services that the file no longer has");
  app.add_option("--rerun-hooks", args->rerun_hooks,
                 "Run hooks again whatever they remember: those of a phase, else of all")
      ->type_name("PHASE")
      ->expected(0, 1)
      ->default_str("all");
  app.add_option("--scale", args->scale, "Run this many of a service")
      ->type_name("SERVICE=N")
      ->expected(1)
      ->allow_extra_args(false)  // the next word may be a service
      ->take_all();
}

}  // namespace

namespace {

// Each of them keeps the up at the logs once all are ready.
void add_foreground(CLI::App& app, const std::shared_ptr<UpArgs>& args) {
  auto& foreground = args->foreground;
  constexpr const char* k_group = "Options that stay at the logs";
  std::vector<CLI::Option*> options{
      app.add_option("--attach", foreground.attach,
                     "Show what services write, these or all; Ctrl-C stops them")
          ->type_name("SERVICE")
          ->expected(0, 1)
          ->take_all(),
      app.add_option("--no-attach", foreground.no_attach, "Of all but this one")
          ->type_name("SERVICE")
          ->expected(1)
          ->allow_extra_args(false)
          ->take_all(),
      app.add_flag("--attach-dependencies", foreground.attach_dependencies,
                   "Also of what the named services depend on"),
      app.add_flag("--abort-on-container-exit", foreground.abort_on_exit, "Stop all when one has ended"),
      app.add_flag("--abort-on-container-failure", foreground.abort_on_failure,
                   "Stop all when one has failed"),
      app.add_option("--exit-code-from", foreground.exit_code_from,
                     "Stop all when one has ended, and end with this one's exit code")
          ->type_name("SERVICE"),
      app.add_flag("--no-log-prefix{false}", foreground.look.prefix, "Without the service before each line"),
      app.add_flag("--no-color{false}", foreground.look.colour, "Without colours"),
      app.add_flag("--timestamps", foreground.look.timestamps, "Show when each line was written")};
  for (auto* option : options) option->group(k_group);
  const auto ignored = std::make_shared<bool>(false);
  app.add_flag("--menu", *ignored, "Taken, as Compose has it: there is no menu");
  app.parse_complete_callback([args, ignored, options] {
    for (const auto* option : options) args->foreground.wanted |= option->count() > 0;
    auto& attach = args->foreground.attach;
    std::erase(attach, std::string());
  });
}

}  // namespace

Run build_up(CLI::App& app) {
  auto args = std::make_shared<UpArgs>();
  add_up_choices(app, args);
  add_foreground(app, args);
  app.add_flag("-d,--detach", args->detach, "Print the operation's id and leave it to the daemon");
  app.add_option("--timeout", args->timeout, "Give up after this long, as in 90s or 2m")
      ->type_name("DURATION");
  app.add_flag("--keep", args->keep, "Leave what a failed up started");
  app.add_option("-t", args->stop_timeout, "Seconds before a container that is replaced is killed")
      ->type_name("SEC")
      ->check(check_seconds);
  app.add_flag("--wait", args->wait, "With --detach: wait all the same; up waits anyway");
  app.add_option("--wait-timeout", args->wait_timeout, "As --timeout, in seconds")
      ->type_name("SEC")
      ->check(check_seconds);
  app.add_flag("--supersede", args->supersede,
               "Cancel the operation that runs, wait until that is put back, and go on");
  add_dry_run(app, args->dry_run);
  return [args](Context& context) { return run_up(context, *args); };
}

// Compose's name for up --no-start, with those of its options that mean something there.
Run build_create(CLI::App& app) {
  auto args = std::make_shared<UpArgs>();
  auto ignored = std::make_shared<bool>(false);
  args->no_start = true;
  app.add_option("services", args->services, "Only these, and what they depend on")->type_name("SERVICE");
  app.add_flag("--build", args->build, "Build images first");
  app.add_flag("--no-build", args->no_build, "Do not build an image that is not there");
  app.add_flag("--force-recreate", args->force_recreate, "Make containers anew although nothing changed");
  app.add_flag("--no-recreate", args->no_recreate, "Take what is there as it is, changed or not");
  app.add_option("--pull", args->pull, "When to pull images")
      ->type_name("POLICY")
      ->check(CLI::IsMember({"always", "missing", "never", "build", "policy"}));
  app.add_flag("--remove-orphans", args->remove_orphans,
               "Remove containers of services that the file no longer has");
  each_time(app.add_option("--scale", args->scale, "This many of a service"))->type_name("SERVICE=N");
  app.add_flag("--quiet-pull,-y,--yes", *ignored, "Taken, as Compose has it: nothing is asked");
  add_dry_run(app, args->dry_run);
  return [args, ignored](Context& context) { return run_up(context, *args); };
}

Run build_diff(CLI::App& app) {
  auto args = std::make_shared<UpArgs>();
  add_up_choices(app, args);
  return [args](Context& context) { return run_diff(context, *args); };
}

Run build_down(CLI::App& app) {
  auto args = std::make_shared<DownArgs>();
  app.add_option("services", args->services, "Only these, and what depends on them")->type_name("SERVICE");
  app.add_flag("-v,--volumes", args->volumes, "Remove its volumes as well");
  app.add_option("--rmi", args->rmi, "Remove images: those built here, or all")
      ->type_name("WHICH")
      ->check(CLI::IsMember({"local", "all"}));
  app.add_option("-t,--timeout", args->timeout, "Seconds before a container is killed")
      ->type_name("SEC")
      ->check(check_seconds);
  app.add_flag("--remove-orphans", args->remove_orphans,
               "Remove containers of services that the file no longer has");
  app.add_flag("--skip-hooks", args->skip_hooks, "Run no hook of any kind");
  add_dry_run(app, args->dry_run);
  return [args](Context& context) { return run_down(context, *args); };
}

namespace {

Run build_services(CLI::App& app, const std::string& verb) {
  auto args = std::make_shared<ServicesArgs>();
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  if (verb != "start")
    app.add_option("-t,--timeout", args->timeout, "Seconds before a container is killed")
        ->type_name("SEC")
        ->check(check_seconds);
  if (verb != "stop")
    app.add_flag("--no-deps", args->no_deps,
                 verb == "start" ? "Not what they need" : "Not what is restarted along with them");
  add_dry_run(app, args->dry_run);
  return [args, verb](Context& context) { return run_services(context, verb, *args); };
}
}  // namespace

Run build_stop(CLI::App& app) {
  return build_services(app, "stop");
}
Run build_start(CLI::App& app) {
  return build_services(app, "start");
}
Run build_restart(CLI::App& app) {
  return build_services(app, "restart");
}

}  // namespace stackd::client
