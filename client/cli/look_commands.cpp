// Options of attach, cp, images, stats and events.
#include <memory>

#include "client/cli/builders.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/containers.hpp"

namespace stackd::client {

Run build_attach(CLI::App& app) {
  auto args = std::make_shared<AttachArgs>();
  app.add_option("service", args->service,
                 "Whose command; without it the stack's running operation is followed")
      ->type_name("SERVICE");
  app.add_option("--index", args->index, "Of this replica of the service")->type_name("N");
  app.add_option("--detach-keys", args->detach_keys, "Keys that leave it, as in ctrl-p,ctrl-q")
      ->type_name("KEYS")
      ->capture_default_str();
  app.add_flag("--no-stdin", args->no_input, "Only its output");
  app.add_flag("--sig-proxy,!--no-sig-proxy", args->signals, "Signals that come here are sent to it");
  return [args](Context& context) { return run_attach(context, *args); };
}

Run build_cp(CLI::App& app) {
  auto args = std::make_shared<CpArgs>();
  app.add_option("from", args->from, "SERVICE:PATH, a path here, or - for a tar on standard input")
      ->type_name("SOURCE")
      ->required();
  app.add_option("to", args->to, "A path here, SERVICE:PATH, or - for a tar on standard output")
      ->type_name("TARGET")
      ->required();
  app.add_flag("-a,--archive", args->archive, "Whose the files are is taken over");
  app.add_flag("-L,--follow-link", args->follow_link, "Copy what a link leads to, not the link");
  app.add_option("--index", args->index, "Only this replica of the service")->type_name("N");
  app.add_flag("--all", args->all, "Containers of `run` as well");
  app.add_flag("--no-wait", args->no_wait, "Also while an operation of the stack runs");
  app.footer(
      "A directory goes into one that is there, and else becomes the target; SOURCE/. is what is in it.\n"
      "  stackctl cp web:/var/log/app.log .\n"
      "  stackctl cp fixtures/. db:/fixtures\n"
      "  stackctl cp db:/var/lib/data - | tar t");
  return [args](Context& context) { return run_cp(context, *args); };
}

Run build_images(CLI::App& app) {
  auto args = std::make_shared<ImageListArgs>();
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  app.add_flag("-q,--quiet", args->quiet, "Only their ids");
  app.add_option("--format", args->format, "table or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json"}));
  return [args](Context& context) { return run_image_list(context, *args); };
}

Run build_stats(CLI::App& app) {
  auto args = std::make_shared<StatsArgs>();
  app.add_option("services", args->services, "Only these")->type_name("SERVICE");
  app.add_flag("-a,--all", args->all, "Those that do not run as well");
  app.add_flag("--no-stream", args->no_stream, "Once, and no more");
  app.add_flag("--no-trunc", args->whole, "Ids as long as they are");
  app.add_option("--format", args->format, "table, json, or fields such as {{.Name}} {{.CPUPerc}}")
      ->type_name("FORMAT");
  return [args](Context& context) { return run_stats(context, *args); };
}

Run build_events(CLI::App& app) {
  auto args = std::make_shared<EventsArgs>();
  app.add_option("services", args->services, "With --compose: only these")->type_name("SERVICE");
  app.add_option(
         "--since", args->since,
         "Begin after this event's number, 0 is all that are kept; with --compose a time, or how long ago")
      ->type_name("WHEN");
  app.add_option("--until", args->until, "With --compose: end at this time")->type_name("WHEN");
  app.add_flag("--compose", args->compose,
               "The containers' events as Docker Compose prints them; --json too");
  return [args](Context& context) { return run_events(context, *args); };
}

}  // namespace stackd::client
