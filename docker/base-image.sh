#!/usr/bin/env bash
# A Node base image for a machine that reaches no registry: this host's Node, the shared libraries it needs
# and a shell, imported under a name of our own. (A look-alike under an official tag would mislead.)
#
#   docker/base-image.sh [TAG] [NODE]      default: shoal-base:local, the node on the PATH
set -euo pipefail

tag=${1:-shoal-base:local}
node=$(readlink -f "${2:-$(command -v node)}")
rootfs=$(mktemp -d)
trap 'rm -rf "$rootfs"' EXIT

mkdir -p "$rootfs"/{bin,dev,etc,home/node,proc,root,sys,tmp,usr/bin,usr/local/bin}
chmod 1777 "$rootfs/tmp"

cp -L "$node" "$rootfs/usr/local/bin/node"
if busybox=$(command -v busybox); then
  cp -L "$busybox" "$rootfs/bin/busybox"
  for applet in sh cat chmod chown cp env false grep hostname id ip kill ln ls mkdir mv nc ping ps rm sed sleep tar true wget; do
    ln -s busybox "$rootfs/bin/$applet"
  done
else
  cp -L "$(command -v dash || command -v sh)" "$rootfs/bin/sh"
fi
# With setpriv a child process dies with its parent whatever happens; without it a reaper process sees to that.
if setpriv=$(command -v setpriv); then cp -L "$setpriv" "$rootfs/usr/bin/setpriv"; fi

# The shared libraries, at the very paths where the loader looks for them.
for binary in "$rootfs"/usr/local/bin/node "$rootfs"/usr/bin/* "$rootfs"/bin/*; do
  [ -L "$binary" ] || ldd "$binary" 2>/dev/null || true
done | grep -o '/[^ ]*' | sort -u | while read -r library; do
  [ -f "$library" ] || continue
  mkdir -p "$rootfs$(dirname "$library")"
  cp -L "$library" "$rootfs$library"
done
# Names are resolved by libraries that ldd does not show.
for library in $(ldconfig -p 2>/dev/null | grep -oE '/[^ ]*libnss_(dns|files)\.so\.2$' || true); do
  mkdir -p "$rootfs$(dirname "$library")"
  cp -L "$library" "$rootfs$library"
done

printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n' >"$rootfs/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$rootfs/etc/group"
printf 'hosts: files dns\n' >"$rootfs/etc/nsswitch.conf"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp -rL --parents /etc/ssl/certs/ca-certificates.crt "$rootfs"; fi

tar -C "$rootfs" --numeric-owner --owner=0 --group=0 --exclude=./home/node -c . >"$rootfs.tar"
tar -C "$rootfs" --numeric-owner --owner=1000 --group=1000 -rf "$rootfs.tar" ./home/node
trap 'rm -rf "$rootfs" "$rootfs.tar"' EXIT
docker import \
  -c 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
  -c 'CMD ["node"]' \
  "$rootfs.tar" "$tag" >/dev/null
echo "$tag: $("$node" --version) from this machine"
