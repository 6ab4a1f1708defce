// stackd. All of it is in app/program.hpp, so that the crash tests can build the same program with a fault.
#include "daemon/app/program.hpp"

int main(int argc, char** argv) {
  return stackd::app::program(argc, argv);
}
