#!/usr/bin/env bash
# A root file system with a real systemd, as a tar: this machine's own release, debootstrapped, with the libraries that
# stackd is linked with. Made once and kept; run as root.
#
#   make_image.sh --packages BINARY...    the release and what goes into it; another list needs another image
#   make_image.sh TAR BINARY...
set -euo pipefail

tar=$1
shift
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The packages that own the libraries of the binaries, so that nothing of this machine's is copied. (ldd fails on static
# ones.)
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd
while read -r library; do
  # The same file may be known under /lib and under /usr/lib.
  owner=$(dpkg-query -S "$library" 2>/dev/null || dpkg-query -S "/usr$library" 2>/dev/null || dpkg-query -S "$(readlink -f "$library")")
  packages+=,$(printf '%s\n' "$owner" | head -n 1 | cut -d: -f1)
done < <({ ldd "$@" 2>/dev/null || true; } | awk '$3 ~ /^\// {print $3}' | sort -u)
if [ "$tar" = --packages ]; then
  echo "$release $packages"
  exit
fi

mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | awk -v release="$release" '$2 == release {print $1; exit}')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase --include="$packages" "$release" "$work/root" "$mirror" >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  exit 1
}
# No login prompts, no units for hardware that a container has not.
rm -rf "$work/root"/var/cache/apt/* "$work/root"/var/lib/apt/lists/*
rm -rf "$work/root/etc/systemd/system/getty.target.wants"
: >"$work/root/etc/machine-id"
mkdir -p "$(dirname "$tar")"
tar -C "$work/root" --one-file-system -cf "$tar.part" .
mv "$tar.part" "$tar"
