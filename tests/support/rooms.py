"""The architecture as a table: every folder of code, what it may use, and what is excused. check_arrows.py holds the code
and CMake's targets to it; the reasons behind it are in docs/architecture.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """A folder: one concern, one library (`target`), one namespace."""
    folder: str
    uses: str = ""        # rooms that stand above this one in the table; what they use comes with them
    pure: bool = False    # looks at nothing: no files, no clocks, no sockets, no store
    lines: int = 4000     # more than this in one folder, its subfolders left out, is two concerns
    target: str = ""      # CMake's name of it, where that is not the folder's
    namespace: str = ""   # below stackd::, where that is not the folder's name

    @property
    def name(self):
        return self.folder.removeprefix("daemon/")


# From the bottom to the top: a room uses only rooms above its own line, so no arrow can point back.
ROOMS = (
    Room("proto"),
    Room("client", "proto", target="client_lib"),
    Room("daemon/util"),
    Room("daemon/async", "util"),
    Room("daemon/config", "util proto"),  # proto: both programs look for the socket at the same place
    Room("daemon/systemd", "util"),
    Room("daemon/store", "util"),
    Room("daemon/journal", "store async"),
    Room("daemon/dotdocker", "util"),  # no Asio: stackd-build reads the same logins
    Room("daemon/docker", "async"),
    Room("daemon/process/shim", "", target="stackd-shim", namespace="shim"),  # beside every service: links nothing
    Room("daemon/process", "async"),
    Room("daemon/images/builder", "dotdocker", target="builder", namespace="builder"),  # stackd-build: links BuildKit's protocol
    Room("daemon/images", "docker dotdocker process"),
    Room("daemon/model", "util", pure=True),
    Room("daemon/resolve", "model", pure=True),
    Room("daemon/yaml", "model", pure=True),
    Room("daemon/compose", "yaml", pure=True),
    Room("daemon/stackfile/sources", "compose", target="sources", namespace="stackfile"),
    Room("daemon/stackfile/decode", "stackfile/sources resolve", target="decode", namespace="stackfile"),
    Room("daemon/stackfile", "stackfile/decode"),
    Room("daemon/translate", "resolve", pure=True),
    Room("daemon/probes", "model docker"),  # model: the table of probes. What runs a command is handed to it
    Room("daemon/logs", "docker process journal resolve proto"),  # resolve: secrets are masked; proto: times of lines
    Room("daemon/world", "translate docker process journal"),  # translate: whose a container is, its labels say
    Room("daemon/operations", "journal"),
    Room("daemon/plan", "translate", pure=True),
    Room("daemon/hooks", "translate docker process images journal logs world"),
    Room("daemon/steps/common", "plan operations hooks world probes logs images", target="steps_common", namespace="steps"),
    Room("daemon/steps", "steps/common"),
    Room("daemon/keeper", "operations plan hooks world"),
    Room("daemon/stacks/attended", "steps/common", target="attended", namespace="stacks"),
    Room("daemon/stacks", "stacks/attended steps stackfile logs proto"),
    Room("daemon/http", "async"),
    Room("daemon/api", "http proto"),
    Room("daemon/app", "api stacks keeper config systemd dotdocker"),
    Room("daemon", "app", target="stackd"),  # main.cpp
)

# Headers that a room may include of a room that it does not use. They are data, or an interface without its makers, and
# need no link; whatever they include has to be allowed as well.
HEADERS = {
    ("images/builder", "daemon/images/build_request.hpp"): "what stackd-build is told, as data",
    ("images/builder", "daemon/docker/ignore.hpp"): "patterns mean the same to both builders; it is in the program as well",
    ("translate", "daemon/images/build_request.hpp"): "what stackd-build is told, as data",
    ("process/shim", "daemon/util/fd.hpp"): "one class, all of it in the header",
    ("process", "daemon/process/shim/protocol.hpp"): "the names of a run's files, which both sides write and read",
    ("process", "daemon/process/shim/container_tree.hpp"): "the processes of an exec, as the shim finds them; it is in process as well",
    ("process", "daemon/process/shim/engine_http.hpp"): "what that one asks",
    ("process", "daemon/process/shim/ending.hpp"): "the class that takes a tree of processes down; it is in process as well",
    ("process", "daemon/process/shim/processes.hpp"): "what /proc says, as the shim reads it; it is in process as well",
    ("process", "daemon/process/shim/system.hpp"): "what those include",
    ("process/shim", "daemon/process/log_times.hpp"): "how a log's times are written, which both sides do",
    ("logs", "daemon/process/shim/log_file.hpp"): "the class that keeps a log to its newest part; it is in process as well",
    ("logs", "daemon/process/shim/system.hpp"): "what that one includes",
    ("stackfile/decode", "proto/verbs.hpp"): "a file's commands must not have the names of stackctl's own",
    ("translate", "daemon/docker/types.hpp"): "what the engine is told, as data",
    ("translate", "daemon/process/types.hpp"): "what the shim is told, as data",
    ("plan", "daemon/docker/types.hpp"): "a Snapshot holds what the engine was seen to have",
    ("plan", "daemon/operations/step_plan.hpp"): "what a plan is made of, without the runner",
    ("api", "daemon/stacks/manager.hpp"): "the tests of the API put a Manager of their own behind it",
}

# Namespaces that a file may open beside its room's.
NAMESPACES = {
    ("daemon/async/asio.hpp", "stackd"): "short names of Asio for everyone",
    ("daemon/api/routes.hpp", "stackd::stacks"): "declares Manager",
    ("daemon/plan/step_kinds.hpp", "stackd::model"): "tells model's codec the fields of a struct",
    ("daemon/plan/wish.cpp", "stackd::model"): "tells model's codec the fields of a struct",
    ("daemon/world/stack_state.cpp", "stackd::model"): "tells model's codec the fields of a struct",
}

# What no header may bring into a pure room, by however many others.
NEVER_INTO_PURE = r"^\s*#\s*include\s*<(boost/|sqlite3\.h|spdlog/)"

# What a pure room must not say, and why. Paths as values are fine: std::filesystem::path touches nothing.
IMPURE = (
    (NEVER_INTO_PURE, "Asio, the store and the log belong to others"),
    (r"^\s*#\s*include\s*<(fstream|unistd\.h|fcntl\.h|dirent\.h|sys/|thread|mutex|random)", "it looks at nothing"),
    (r'^\s*#\s*include\s*"daemon/util/(files|glob|fd)\.hpp"', "files are read on the files' threads"),
    (r"\b(?:fs|filesystem)::(?!path\b)\w+", "files are read on the files' threads"),
    (r"\b\w*_clock::now\b|\bnow_ms\b|\bstd::time\b", "the time is told to it"),
    (r"\brandom_\w+|\bgetenv\b", "what it knows is told to it"),
)

# Files of pure rooms that are not pure yet.
NOT_PURE_YET: dict[str, str] = {}
