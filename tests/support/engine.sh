# The Docker Engine for the quickstart and the tests: the one that answers, else a private one of our own. Needs
# install.sh. It speaks the Engine API with curl; there may be no `docker` command.

# The engine's socket: that of DOCKER_HOST when it names one, else the usual place.
engine_socket() {
  case ${STACKD_DOCKER_HOST:-${DOCKER_HOST:-}} in
    unix://*) printf '%s\n' "${STACKD_DOCKER_HOST:-$DOCKER_HOST}" | sed 's|^unix://||' ;;
    *) echo /var/run/docker.sock ;;
  esac
}

# engine_call METHOD PATH [curl arguments]: prints the answer, fails on an HTTP error.
engine_call() {
  local method=$1 path=$2
  shift 2
  curl -sS -f --max-time 60 --unix-socket "$(engine_socket)" -X "$method" "$@" "http://engine/v1.41$path"
}

engine_answers() {
  [ -S "$(engine_socket)" ] && [ "$(curl -s --max-time 10 --unix-socket "$(engine_socket)" http://engine/_ping)" = OK ]
}

# dockerd needs cgroups; a machine without an init system may have mounted none.
engine_mount_cgroups() {
  if ! grep -q ' /sys/fs/cgroup' /proc/mounts; then
    as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
  fi
}

# Fills engine_pid when it starts a private one, which engine_stop ends.
engine_pid=
engine_dir=

# engine_ensure DIRECTORY: after it an engine answers at engine_socket. With systemd that is the system's own; else a
# private dockerd is started whose data, pid file and socket are in DIRECTORY, and which ends with engine_stop.
engine_ensure() {
  if engine_answers; then return 0; fi
  if [ -d /run/systemd/system ] && as_root systemctl start docker 2>/dev/null && engine_answers; then return 0; fi
  command -v dockerd >/dev/null 2>&1 || {
    echo "no engine answers at $(engine_socket) and there is no dockerd to start" >&2
    return 1
  }
  engine_mount_cgroups
  engine_dir=$1
  mkdir -p "$engine_dir"
  # Its socket stays out of a deep checkout: the path of a socket has 107 characters at most.
  local socket=$engine_dir/docker.sock run=$engine_dir/run
  if [ "${#socket}" -gt 90 ]; then
    run=$(mktemp -d "${TMPDIR:-/tmp}/stackd-engine-XXXXXX")
    socket=$run/docker.sock
  fi
  as_root rm -f "$engine_dir/docker.pid"
  as_root dockerd -H "unix://$socket" --group "$(id -gn)" --data-root "$engine_dir/data" --exec-root "$run" \
    --pidfile "$engine_dir/docker.pid" --log-level error >"$engine_dir/dockerd.log" 2>&1 </dev/null &
  local starter=$!
  export DOCKER_HOST=unix://$socket
  unset STACKD_DOCKER_HOST
  local tries=0
  until engine_answers; do
    tries=$((tries + 1))
    if ! kill -0 "$starter" 2>/dev/null || [ "$tries" -gt 300 ]; then
      echo "cannot start an engine:" >&2
      tail -n 5 "$engine_dir/dockerd.log" >&2
      return 1
    fi
    sleep 0.1
  done
  engine_pid=$(cat "$engine_dir/docker.pid")
}

engine_stop() {
  if [ -z "$engine_pid" ]; then return 0; fi
  as_root kill "$engine_pid" 2>/dev/null || true
  local tries=0
  while as_root kill -0 "$engine_pid" 2>/dev/null && [ "$tries" -lt 300 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  engine_pid=
}

# The one image that the tests use: the machine's own static busybox with a link for every applet. An engine may be
# somebody's own, with a busybox of theirs, so its name is nobody else's and says what it is made of. It stays in the
# engine for the next run.

# engine_busybox_name: prints it. Nobody else spells it out: the harness of the scenarios and the engine tests ask here.
engine_busybox_name() {
  local busybox
  busybox=$(command -v busybox) || {
    echo "no busybox on this machine: apt-get install busybox-static" >&2
    return 1
  }
  printf 'stackd-test/busybox:%s\n' "$({ cat "$busybox"; declare -f engine_pack_busybox; } | sha256sum | cut -c 1-12)"
}

# engine_busybox: prints the name, and makes the image when the engine has none.
engine_busybox() {
  local name
  name=$(engine_busybox_name) || return 1
  if ! engine_call GET "/images/$name/json" >/dev/null 2>&1; then
    engine_pack_busybox |
      engine_call POST "/images/create?fromSrc=-&repo=${name%:*}&tag=${name#*:}&changes=CMD%20%5B%22sh%22%5D" \
        -H 'Content-Type: application/x-tar' --data-binary @- >/dev/null || return 1
  fi
  printf '%s\n' "$name"
}

# The image's files, as a tar.
engine_pack_busybox() {
  local root applet
  root=$(mktemp -d)
  mkdir -p "$root/bin" "$root/tmp" "$root/etc" "$root/root"
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  tar -C "$root" --owner=0 --group=0 -cf - .
  rm -rf "$root"
}

# engine_count KIND LABEL: how many containers, networks, volumes or images have the label.
engine_count() {
  local all=
  if [ "$1" = containers ]; then all='all=1&'; fi
  local path="/$1/json?$all"
  case $1 in
    networks) path='/networks?' ;;
    volumes) path='/volumes?' ;;
  esac
  # Every object of these lists has exactly one of these keys at its top.
  local key='"Id":'
  if [ "$1" = volumes ]; then key='"Mountpoint":'; fi
  engine_call GET "${path}filters=%7B%22label%22%3A%5B%22$2%22%5D%7D" | { grep -o "$key" || true; } | wc -l
}
