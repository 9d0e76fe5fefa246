#!/usr/bin/env bash
# Makes the image's root file system, a tar file, of Debian packages and our two programs. Used by build.sh and by the
# Containerfile. No root needed, no daemon; the same packages and programs give the same bytes.
set -euo pipefail

if (($# != 2)) || [[ $1 == -* ]]; then
  echo "Usage: SOURCE_DATE_EPOCH=SECONDS [DEBIAN_MIRROR=URL] deploy/image/rootfs.sh PROGRAMS_DIRECTORY ROOTFS.tar" >&2
  exit 2
fi
: "${SOURCE_DATE_EPOCH:?the time of the newest files, in seconds}"
export SOURCE_DATE_EPOCH PYTHONDONTWRITEBYTECODE=1
programs=$(realpath "$1")
output=$(realpath -m "$2")
cd "$(dirname "$0")/../.."
source deploy/packages.sh

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch" # Read in a user namespace where we are not root.
for program in millrace-server millrace; do
  strip --strip-unneeded -o "$scratch/$program" "$programs/$program"
  chmod 755 "$scratch/$program"
done

# Unpacked and not installed: no maintainer script runs, and neither apt nor perl is in the image.
mode=unshare
((EUID != 0)) || mode=chrootless # Needs no privilege, so that it works inside a container too.
packages=$(IFS=, && echo "${runtime_packages[*]}")
mirror=()
[[ -z ${DEBIAN_MIRROR-} ]] || mirror=("$DEBIAN_MIRROR" --aptopt='Acquire::Check-Valid-Until "false"') # A day long past.
mmdebstrap --quiet --mode=$mode --variant=extract --include="$packages" --skip=output/dev \
  --extract-hook="deploy/image/fill_rootfs.py \"\$1\" $(printf %q "$scratch") ${linked_packages[*]}" \
  bookworm "$output" "${mirror[@]}"

# What mmdebstrap has brought from here, and apt's own.
tar --delete -f "$output" ./etc/resolv.conf ./etc/hostname ./etc/apt ./var/lib/apt ./var/cache/apt ./var/log/apt
