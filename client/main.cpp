// stackctl: the command line of stackd.
#include <exception>

#include "client/cli/cli.hpp"
#include "client/context.hpp"
#include "client/error.hpp"

int main(int argc, char** argv) {
  using namespace stackd;
  try {
    return client::run_command_line({argv + 1, argv + argc});
  } catch (const client::ClientError& error) {
    client::print_error(error.what(), error.details(), error.exit_code() != proto::k_bad_usage);
    return error.exit_code();
  } catch (const client::TransportError& error) {
    client::print_error(error.what(), {});
    return proto::k_no_daemon;
  } catch (const std::exception& error) {
    client::print_error(error.what(), {});
    return proto::k_operation_failed;
  }
}
